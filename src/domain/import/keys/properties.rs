//! Reading is the reverse of writing, in every shape; and nothing whatever makes it fall over.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Vec<String> {
    let input = read_keys(text);
    assert_eq!(input.bad, [], "{text}");
    let keys = input.keys.iter();
    keys.map(|line| line.key.expose().to_owned()).collect()
}

proptest! {
    #[test]
    fn keys_that_were_written_in_any_shape_are_read_back(
        keys in prop::collection::btree_set("sk-[A-Za-z0-9_.+/=-]{8,60}", 1..20),
        separator in prop::sample::select(vec![',', ';', '\t']),
        before in any::<bool>(),
    ) {
        let keys: Vec<String> = keys.into_iter().collect();
        let lines = keys.join("\r\n");
        prop_assert_eq!(&read(&lines), &keys);
        let row = |name: &str, key: &str| {
            let (first, second) = if before { (name, key) } else { (key, name) };
            format!("{first}{separator}{second}\n")
        };
        let mut table = row("name", "key");
        table.extend(keys.iter().map(|key| row("one", key)));
        prop_assert_eq!(&read(&table), &keys);
        prop_assert_eq!(&read(&serde_json::to_string(&keys).unwrap()), &keys);
        let objects: Vec<_> = keys.iter().map(|key| serde_json::json!({"api_key": key})).collect();
        prop_assert_eq!(&read(&serde_json::to_string_pretty(&objects).unwrap()), &keys);
        let a_line: Vec<String> = objects.iter().map(ToString::to_string).collect();
        prop_assert_eq!(&read(&a_line.join("\n")), &keys);
    }

    #[test]
    fn whatever_is_given_is_read_or_named_line_by_line(text in "(\\PC|\n|,|\"|\\{|\\[|key){0,80}") {
        let input = read_keys(&text);
        let lines = text.lines().count().max(1);
        for bad in &input.bad {
            prop_assert!((1..=lines + 1).contains(&bad.line), "{:?} of {lines}", bad);
        }
        for key in &input.keys {
            prop_assert!(text.contains(key.key.expose()));
        }
    }

    #[test]
    fn no_row_of_a_table_is_lost_whatever_it_holds(
        rows in "(\\PC|\n|\r|,|\"|\\{|\\[|key){0,80}",
        head in prop::sample::select(vec!["key", "key,note", "note,key"]),
    ) {
        let text = format!("{head}\n{rows}");
        let input = read_keys(&text);
        let mut told: Vec<usize> = input.keys.iter().map(|key| key.line).collect();
        told.extend(input.duplicates.iter().map(|repeat| repeat.0));
        told.extend(input.bad.iter().map(|bad| bad.line));
        told.sort_unstable();
        let rows = text.lines().enumerate().skip(1);
        let said: Vec<usize> = rows
            .filter(|(_, row)| !row.trim().is_empty() && !row.trim().starts_with('#'))
            .map(|(index, _)| index + 1)
            .collect();
        prop_assert_eq!(told, said);
    }
}
