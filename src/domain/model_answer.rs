//! Answers of the model calls, in the two shapes vendors send: one JSON, or an event stream even
//! when none was asked for.

use serde_json::Value;

/// Model ids of a `/v1/models` answer; `None` when it is no such list.
pub fn listed_models(body: &str) -> Option<Vec<String>> {
    let body: Value = serde_json::from_str(body).ok()?;
    let rows = body
        .get("data")
        .or_else(|| body.get("models"))?
        .as_array()?;
    Some(
        rows.iter()
            .filter_map(|row| row.get("id").or_else(|| row.get("name")))
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    )
}

/// The text of a chat completion; `None` when there is none in it, or an error broke the stream.
/// A thinking model may spend everything on its reasoning: that is alive too, so the reasoning
/// stands in where no content came.
pub fn completion_text(body: &str) -> Option<String> {
    if let Ok(whole) = serde_json::from_str::<Value>(body) {
        return choice(&whole).map(Said::into_text);
    }
    let mut said: Option<Said> = None;
    for line in body.lines() {
        let Some(data) = line.trim_start().strip_prefix("data:") else {
            continue;
        };
        let Ok(event) = serde_json::from_str::<Value>(data.trim()) else {
            continue;
        };
        if event.get("error").is_some() {
            return None;
        }
        if let Some(part) = choice(&event) {
            let said = said.get_or_insert_default();
            said.content.push_str(&part.content);
            said.reasoning.push_str(&part.reasoning);
        }
    }
    said.map(Said::into_text)
}

#[derive(Default)]
struct Said {
    content: String,
    reasoning: String,
}

impl Said {
    fn into_text(self) -> String {
        if self.content.is_empty() {
            self.reasoning
        } else {
            self.content
        }
    }
}

/// The first choice: of a whole answer or of one event.
fn choice(value: &Value) -> Option<Said> {
    let first = value.get("choices")?.get(0)?;
    let holder = first.get("message").or_else(|| first.get("delta"));
    let field = |name| holder.and_then(|holder| holder.get(name)).map(text_of);
    let content = field("content").or_else(|| first.get("text").map(text_of));
    let reasoning = field("reasoning_content");
    if content.is_none() && reasoning.is_none() && holder.is_none() {
        return None;
    }
    Some(Said {
        content: content.unwrap_or_default(),
        reasoning: reasoning.unwrap_or_default(),
    })
}

/// A text, or a list of parts with texts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_are_read_from_both_shapes() {
        let stream = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"po\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"ng\"}}]}\n\n\
                      data: {\"choices\":[],\"usage\":{}}\n\ndata: [DONE]\n";
        for (name, body, expected) in [
            (
                "one JSON",
                r#"{"choices":[{"message":{"content":"pong"}}]}"#,
                Some("pong"),
            ),
            ("an event stream nobody asked for", stream, Some("pong")),
            (
                "content in parts",
                r#"{"choices":[{"message":{"content":[{"type":"text","text":"pong"}]}}]}"#,
                Some("pong"),
            ),
            (
                "reasoning only",
                r#"{"choices":[{"message":{"content":"","reasoning_content":"hm"}}]}"#,
                Some("hm"),
            ),
            (
                "a stream that an error broke",
                "data: {\"choices\":[{\"delta\":{\"content\":\"p\"}}]}\ndata: {\"error\":{}}\n",
                None,
            ),
            ("an error", r#"{"error":{"message":"no"}}"#, None),
            ("a page", "<html>", None),
            ("no choice", r#"{"choices":[]}"#, None),
        ] {
            assert_eq!(completion_text(body).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn model_lists_are_read_and_pages_are_not() {
        let body = r#"{"object":"list","data":[{"id":"a"},{"id":"b"}]}"#;
        assert_eq!(
            listed_models(body),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(listed_models("<html>"), None);
        assert_eq!(listed_models("{}"), None);
    }
}
