//! Keys in every shape people have them in, good and bad.

use super::*;

#[test]
fn good_lines_repeats_and_bad_lines_are_told_apart() {
    let input = read_keys(
        "\u{feff}# keys\r\nsk-lab-good-0001\r\n\nsk-lab-good-0002\nsk-lab-good-0001\nab\nsk lab\nsk-密钥-0000001\n\"sk-lab-good-3\",",
    );
    let lines: Vec<usize> = input.keys.iter().map(|key| key.line).collect();
    assert_eq!(lines, [2, 4]);
    assert_eq!((input.duplicates[0].0, input.duplicates[0].1), (5, 2));
    let bad: Vec<usize> = input.bad.iter().map(|bad| bad.line).collect();
    assert_eq!(bad, [6, 7, 8, 9]);
}

#[test]
fn a_bad_line_is_never_repeated() {
    let input = read_keys("very secret words");
    assert!(!format!("{:?}", input.bad).contains("secret"));
}

fn told(text: &str) -> (Vec<(usize, String)>, Vec<String>) {
    let input = read_keys(text);
    let keys = input.keys.iter();
    (
        keys.map(|line| (line.line, line.key.expose().to_owned()))
            .collect(),
        input.bad.iter().map(ToString::to_string).collect(),
    )
}

fn key(line: usize, number: u8) -> (usize, String) {
    (line, format!("sk-lab-good-000{number}"))
}

#[test]
fn a_table_is_read_by_the_column_that_its_first_line_names() {
    for (text, lines) in [
        (
            "name,api_key,note\nfirst,sk-lab-good-0001,\"a, b\"\n# later\n\nsecond, sk-lab-good-0002 ,\n",
            [2, 5],
        ),
        ("KEY\nsk-lab-good-0001\nsk-lab-good-0002\n", [2, 3]),
        ("a;Key\n1;sk-lab-good-0001\n2;sk-lab-good-0002", [2, 3]),
        (
            "apikey\tb\r\nsk-lab-good-0001\t1\r\nsk-lab-good-0002\t2\r\n",
            [2, 3],
        ),
    ] {
        let (keys, bad) = told(text);
        assert_eq!(keys, [key(lines[0], 1), key(lines[1], 2)], "{text}");
        assert_eq!(bad, [""; 0]);
    }
}

#[test]
fn a_bad_row_of_a_table_is_named_with_its_line_and_column() {
    let (keys, bad) = told("id,key\n1,sk-lab-good-0001\n2\n3,\n4,short\n5,sk-lab-good-0002\n");
    assert_eq!(keys, [key(2, 1), key(6, 2)]);
    assert_eq!(
        bad,
        [
            "line 3, field `key`: is missing; this row has 1 of 2 columns",
            "line 4, field `key`: is empty; give the key or take the row out",
            "line 5, field `key`: has 5 characters; a key has 8 or more",
        ]
    );
}

#[test]
fn a_quote_of_a_table_that_is_not_closed_or_goes_on_is_named_and_swallows_no_line() {
    let open = "has a quote in its row that is not closed in this line";
    let on = "goes on after its closing quote; quote the whole key, or nothing of it";
    let short = "has 1 characters; a key has 8 or more";
    let missing = "is missing; this row has 1 of 2 columns";
    for (text, keys, bad) in [
        (
            "key\n{\n\"keykeya\"[\n",
            vec![],
            vec![
                (
                    2,
                    "character 1 is punctuation no key has; write the bare key",
                ),
                (3, on),
            ],
        ),
        (
            "key,note\n\"sk-lab-good-0001\",\"open\nsk-lab-good-0002,two\n",
            vec![key(3, 2)],
            vec![(2, open)],
        ),
        (
            "note,key\n\"over\ntwo\",sk-lab-good-0001\n\"a \"\"b\"\"\",\"sk-lab-good-0002\" \n",
            vec![key(3, 1), key(4, 2)],
            vec![(2, open)],
        ),
        ("key\na\n\"", vec![], vec![(2, short), (3, open)]),
        ("a,key\n\"sk-lab-good-0001,\"\n", vec![], vec![(2, missing)]),
    ] {
        let (read, told) = told(text);
        assert_eq!(read, keys, "{text}");
        let bad: Vec<_> = bad
            .iter()
            .map(|(line, why)| format!("line {line}, field `key`: {why}"))
            .collect();
        assert_eq!(told, bad, "{text}");
    }
}

#[test]
fn json_is_read_as_a_list_of_texts_of_objects_or_one_object_a_line() {
    for (text, lines) in [
        ("[\"sk-lab-good-0001\",\n \"sk-lab-good-0002\"]", [1, 2]),
        (
            "[\n  {\"name\": \"a\", \"key\": \"sk-lab-good-0001\"},\n  {\"api_key\": \"sk-lab-good-0002\"}\n]",
            [2, 3],
        ),
        (
            "{\"keys\": [\n\"sk-lab-good-0001\",\n{\"key\": \"sk-lab-good-0002\"}]}",
            [2, 3],
        ),
        (
            "{\"key\": \"sk-lab-good-0001\"}\n\n{\"key\": \"sk-lab-good-0002\"}\n",
            [1, 3],
        ),
    ] {
        let (keys, bad) = told(text);
        assert_eq!(keys, [key(lines[0], 1), key(lines[1], 2)], "{text}");
        assert_eq!(bad, [""; 0]);
    }
}

#[test]
fn a_bad_item_of_json_is_named_with_its_line_and_what_is_no_json_with_its_place() {
    let (keys, bad) = told(
        "[\n\"sk-lab-good-0001\",\n{\"secret\": 1},\n{\"key\": 7},\n7,\n{\"key\": \"short\"}\n]",
    );
    assert_eq!(keys, [key(2, 1)]);
    assert_eq!(
        bad,
        [
            "line 3: has no field `key`, `api_key` or `apikey`",
            "line 4, field `key`: is no text; write the key in quotes",
            "line 5: is neither a text nor an object with a field `key`",
            "line 6, field `key`: has 5 characters; a key has 8 or more",
        ]
    );
    let (keys, bad) = told("[\n\"sk-lab-good-0001\",\n\"very secret\n");
    assert_eq!(keys, []);
    assert_eq!(bad.len(), 1);
    assert!(
        bad[0].starts_with("line 3: is no JSON from column"),
        "{bad:?}"
    );
    assert!(!bad[0].contains("secret"));
}

#[test]
fn whatever_stands_there_is_read_without_a_panic_and_never_repeated() {
    for text in [
        "",
        "\u{feff}",
        "{",
        "[",
        "[]",
        "{}",
        "[[\"sk-lab-good-0001\"]]",
        "key",
        "key,",
        ",key\n,",
        "key\n\"open quote",
        "{\"keys\": 1}",
        "null",
        "[null]",
        "a,b\nsecret,words",
    ] {
        let said = format!("{:?}", read_keys(text).bad);
        assert!(!said.contains("secret"), "{said}");
    }
}
