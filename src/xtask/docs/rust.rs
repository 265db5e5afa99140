//! Reads the tables that our own macros and enums hold in a Rust file. xtask names none of our
//! crates, so it reads their text; the compiler has judged it already.

use std::error::Error;
use std::iter::Peekable;
use std::str::Chars;

/// A piece of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A line of documentation.
    Doc(String),
    /// A name.
    Word(String),
    /// A text in quotes.
    Text(String),
    /// Anything else.
    Sign(char),
}

/// The pieces between a line that begins a block and the brace that ends it.
pub(super) fn body(source: &str, head: &str) -> Result<Vec<Token>, Box<dyn Error>> {
    let missing = || format!("no `{head}` with its closing brace on a line of its own");
    let (_, rest) = source.split_once(head).ok_or_else(missing)?;
    let (body, _) = rest.split_once("\n}").ok_or_else(missing)?;
    Ok(tokens(body))
}

/// The rows of a table, each ended by the same sign.
pub(super) fn rows(tokens: &[Token], end: char) -> Vec<&[Token]> {
    tokens
        .split(|token| *token == Token::Sign(end))
        .filter(|row| !row.is_empty())
        .collect()
}

/// The documentation of a row as one line, without its full stop.
pub(super) fn doc(row: &[Token]) -> String {
    let lines: Vec<&str> = row
        .iter()
        .filter_map(|token| match token {
            Token::Doc(line) => Some(line.as_str()),
            _ => None,
        })
        .collect();
    lines.join(" ").trim_end_matches('.').to_owned()
}

/// A row without its documentation.
pub(super) fn code(row: &[Token]) -> Vec<Token> {
    row.iter()
        .filter(|token| !matches!(token, Token::Doc(_)))
        .cloned()
        .collect()
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '/' if letters.peek() == Some(&'/') => {
                let line: String = letters.by_ref().take_while(|&next| next != '\n').collect();
                if let Some(doc) = line.strip_prefix("//") {
                    tokens.push(Token::Doc(doc.trim().to_owned()));
                }
            }
            '"' => tokens.push(Token::Text(quoted(&mut letters))),
            _ if letter.is_whitespace() => {}
            _ if is_word(letter) => {
                let mut word = letter.to_string();
                while let Some(next) = letters.next_if(|&next| is_word(next)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The rest of a text whose first quote is read. Of escapes, the table uses `\"` and `\\`.
fn quoted(letters: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => text.extend(letters.next()),
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_with_its_documentation_and_without_its_comments() {
        let source = "enum Other {\n}\ntable! {\n    /// One;\n    /// line.\n    // not this \"\n    \
                      A \"a;\" [\"]\", \"\\\"\"];\n    B \"b\" [];\n}\nC \"c\";\n";
        let tokens = body(source, "table! {").unwrap();
        let rows = rows(&tokens, ';');
        assert_eq!(rows.len(), 2);
        assert_eq!(doc(rows[0]), "One; line");
        let text = |text: &str| Token::Text(text.to_owned());
        assert_eq!(
            code(rows[0]),
            [
                Token::Word("A".to_owned()),
                text("a;"),
                Token::Sign('['),
                text("]"),
                Token::Sign(','),
                text("\""),
                Token::Sign(']'),
            ]
        );
        assert_eq!(rows[1][0], Token::Word("B".to_owned()));
        assert!(body(source, "roles! {").is_err());
    }
}
