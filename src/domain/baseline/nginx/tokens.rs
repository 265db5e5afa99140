//! Words, blocks and ends of nginx's configuration language.

/// A token with the line it began on, counted from 1 within its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, quotes taken off.
    Word(String),
    /// `{`
    Open,
    /// `}`
    Close,
    /// `;`
    End,
}

/// Cuts a text into tokens.
///
/// # Errors
/// Line and reason when a quote is never closed.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, (usize, String)> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        line: 1,
        out: Vec::new(),
    };
    reader.run()?;
    Ok(reader.out)
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    out: Vec<Token>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn push(&mut self, line: usize, kind: Kind) {
        self.out.push(Token { line, kind });
    }

    fn run(&mut self) -> Result<(), (usize, String)> {
        while let Some(c) = self.rest.peek().copied() {
            let line = self.line;
            match c {
                c if c.is_whitespace() => {
                    self.next();
                }
                '#' => while self.next().is_some_and(|c| c != '\n') {},
                ';' => {
                    self.next();
                    self.push(line, Kind::End);
                }
                '{' => {
                    self.next();
                    self.push(line, Kind::Open);
                    if self.opens_foreign_code() {
                        self.skip_code();
                    }
                }
                '}' => {
                    self.next();
                    self.push(line, Kind::Close);
                }
                '"' | '\'' => {
                    self.next();
                    let word = self.quoted(c, line)?;
                    self.push(line, Kind::Word(word));
                }
                _ => {
                    let word = self.bare();
                    self.push(line, Kind::Word(word));
                }
            }
        }
        Ok(())
    }

    /// A quoted word; a backslash keeps the quote it stands before.
    fn quoted(&mut self, quote: char, line: usize) -> Result<String, (usize, String)> {
        let mut word = String::new();
        loop {
            match self.next() {
                None => return Err((line, "a quote is never closed".to_owned())),
                Some('\\') => match self.next() {
                    Some(c) if c == quote || c == '\\' => word.push(c),
                    Some(c) => word.extend(['\\', c]),
                    None => return Err((line, "a quote is never closed".to_owned())),
                },
                Some(c) if c == quote => return Ok(word),
                Some(c) => word.push(c),
            }
        }
    }

    /// A word without quotes. `${name}` belongs to it, other braces end it.
    fn bare(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.rest.peek().copied() {
            match c {
                c if c.is_whitespace() => break,
                '{' if word.ends_with('$') => {
                    while let Some(c) = self.next() {
                        word.push(c);
                        if c == '}' {
                            break;
                        }
                    }
                }
                ';' | '}' | '{' => break,
                '\\' => {
                    self.next();
                    word.push('\\');
                    if let Some(c) = self.next() {
                        word.push(c);
                    }
                }
                _ => {
                    self.next();
                    word.push(c);
                }
            }
        }
        word
    }

    /// Whether the block just opened holds Lua, which has another grammar.
    fn opens_foreign_code(&self) -> bool {
        self.out
            .iter()
            .rev()
            .skip(1)
            .map_while(|token| match &token.kind {
                Kind::Word(word) => Some(word),
                _ => None,
            })
            .last()
            .is_some_and(|name| name.ends_with("_by_lua_block"))
    }

    /// Passes over balanced braces and leaves the closing one to be read.
    fn skip_code(&mut self) {
        let mut depth = 0_u32;
        while let Some(c) = self.rest.peek().copied() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => return,
                '}' => depth -= 1,
                _ => {}
            }
            self.next();
        }
    }
}
