//! Reads Rust source just well enough to say which paths it names and how long its functions are: comments and texts
//! are blanked, what is compiled for tests only is left out, and the rest is cut into words and signs.

/// A word or a sign, and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A path such as `crate::domain::card`, groups written out, and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    pub(crate) parts: Vec<String>,
    pub(crate) line: usize,
}

/// A function and how many lines it takes, from its `fn` to its closing brace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// The source with comments, texts and characters replaced by spaces; line ends stay where they are.
pub(crate) fn bare(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let length = comment(&chars[at..]).or_else(|| text(&chars, at)).or_else(|| character(&chars[at..]));
        match length {
            Some(length) => {
                out.extend(chars[at..at + length].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
                at += length;
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out
}

/// The length of the comment that begins here; comments between `/*` and `*/` nest.
fn comment(rest: &[char]) -> Option<usize> {
    match rest {
        ['/', '/', ..] => Some(rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())),
        ['/', '*', ..] => {
            let (mut depth, mut at) = (0_usize, 0);
            while at < rest.len() {
                match &rest[at..] {
                    ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
                    ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
                    _ => at += 1,
                }
                if depth == 0 {
                    break;
                }
            }
            Some(at)
        }
        _ => None,
    }
}

/// The length of the text that begins at `at`, plain or raw; the letters before its quote are left standing.
fn text(chars: &[char], at: usize) -> Option<usize> {
    let rest = &chars[at..];
    if rest[0] == '"' {
        let mut end = 1;
        while end < rest.len() && rest[end] != '"' {
            end += if rest[end] == '\\' { 2 } else { 1 };
        }
        return Some((end + 1).min(rest.len()));
    }
    let after_raw_mark = at > 0 && chars[at - 1] == 'r' && !(at > 1 && in_word(chars[at - 2]) && chars[at - 2] != 'b');
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    if !after_raw_mark || hashes == 0 || rest.get(hashes) != Some(&'"') {
        return None;
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let inside = &rest[hashes + 1..];
    let end = inside.windows(closing.len()).position(|window| window == closing.as_slice());
    Some(end.map_or(rest.len(), |end| hashes + 1 + end + closing.len()))
}

/// The length of the character that begins here; a lifetime is none.
fn character(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', _, tail @ ..] => tail.iter().position(|c| *c == '\'').map(|end| end + 4),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// A character that may stand inside a word.
fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Words and signs of bare source; `::` is one sign.
pub(crate) fn tokens(bare: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for (number, line) in bare.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if in_word(first) {
                rest.find(|c| !in_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token { text: rest[..length].to_owned(), line: number + 1 });
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// The tokens without those items that `#[cfg(test)]` stands before.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if is_test_mark(&tokens[at..]) {
            at = item_end(tokens, at + TEST_MARK.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

const TEST_MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

fn is_test_mark(rest: &[Token]) -> bool {
    rest.len() >= TEST_MARK.len() && rest.iter().zip(TEST_MARK).all(|(token, mark)| token.text == mark)
}

/// The place after the item that begins at `at`: after its closing brace, or its semicolon if it has no braces.
fn item_end(tokens: &[Token], at: usize) -> usize {
    match body_start(tokens, at) {
        Some(open) => closing_brace(tokens, open) + 1,
        None => (at..tokens.len()).find(|at| tokens[*at].text == ";").map_or(tokens.len(), |end| end + 1),
    }
}

/// The first `{` at or after `at` that stands in no bracket, unless a `;` comes first.
fn body_start(tokens: &[Token], at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "{" if depth == 0 => return Some(place),
            ";" if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn closing_brace(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_i32;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    tokens.len().saturating_sub(1)
}

/// All paths, single words among them.
pub(crate) fn paths(tokens: &[Token]) -> Vec<NamedPath> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = is_word(&tokens[at]) && (at == 0 || tokens[at - 1].text != "::");
        at = if starts { read_path(tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Reads the path at `at`, below `above`; returns the place after it.
fn read_path(tokens: &[Token], mut at: usize, above: &[String], found: &mut Vec<NamedPath>) -> usize {
    let line = tokens[at].line;
    let mut parts = above.to_vec();
    while let Some(token) = tokens.get(at).filter(|token| is_word(token) || token.text == "*") {
        parts.push(token.text.clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token.text != "::") {
            break;
        }
        at += 1;
        if tokens.get(at).is_some_and(|token| token.text == "{") {
            return read_group(tokens, at, &parts, found);
        }
    }
    found.push(NamedPath { parts, line });
    at
}

fn read_group(tokens: &[Token], open: usize, above: &[String], found: &mut Vec<NamedPath>) -> usize {
    let close = closing_brace(tokens, open);
    let mut at = open + 1;
    while at < close {
        let starts = is_word(&tokens[at]) || tokens[at].text == "*";
        at = if starts { read_path(tokens, at, above, found) } else { at + 1 };
    }
    close + 1
}

fn is_word(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// All functions that have a body.
pub(crate) fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut found = Vec::new();
    for (place, pair) in tokens.windows(2).enumerate() {
        let [mark, name] = pair else { continue };
        if mark.text != "fn" || !is_word(name) {
            continue;
        }
        if let Some(open) = body_start(tokens, place + 1) {
            let lines = tokens[closing_brace(tokens, open)].line - mark.line + 1;
            found.push(Function { name: name.text.clone(), line: mark.line, lines });
        }
    }
    found
}

/// The modules that a file declares for tests only: `#[cfg(test)] mod NAME;`.
pub(crate) fn test_modules(tokens: &[Token]) -> Vec<String> {
    let marks = (0..tokens.len()).filter(|at| is_test_mark(&tokens[*at..])).map(|at| at + TEST_MARK.len());
    let declared = marks.filter_map(|at| match &tokens[at..] {
        [module, name, end, ..] if module.text == "mod" && end.text == ";" => Some(name.text.clone()),
        _ => None,
    });
    declared.collect()
}
