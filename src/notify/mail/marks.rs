//! Marks inside a line of the HTML part: words to write in a file, and options that no line may break.

use minijinja::HtmlEscape;
use minijinja::value::Value;

/// A sentence whose words between backticks stand as code.
pub(super) fn marked(sentence: &str) -> Value {
    let pieces: Vec<&str> = sentence.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        // One backtick without another marks nothing.
        return Value::from_safe_string(HtmlEscape(sentence).to_string());
    }
    let shown = pieces.iter().enumerate().map(|(place, piece)| match place % 2 {
        0 => HtmlEscape(piece).to_string(),
        _ => format!("<code>{}</code>", HtmlEscape(piece)),
    });
    Value::from_safe_string(shown.collect())
}

/// A line to type, whose options stay in one piece: `--` alone at the end of a line would be typed wrong.
pub(super) fn unbroken(line: &str) -> Value {
    let words = line.split(' ').map(|word| {
        let shown = HtmlEscape(word);
        if word.starts_with('-') {
            format!("<span style=\"white-space:nowrap\">{shown}</span>")
        } else {
            shown.to_string()
        }
    });
    Value::from_safe_string(words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pairs_of_backticks_mark_and_everything_is_escaped() {
        let shown = |text: &str| marked(text).to_string();
        assert_eq!(shown("see `buy` <b>"), "see <code>buy</code> &lt;b&gt;");
        assert_eq!(shown("`<b>`"), "<code>&lt;b&gt;</code>");
        assert_eq!(shown("odd ` one <b>"), "odd ` one &lt;b&gt;");
        assert_eq!(
            unbroken("a --b \"<\"").to_string(),
            "a <span style=\"white-space:nowrap\">--b</span> &quot;&lt;&quot;"
        );
    }
}
