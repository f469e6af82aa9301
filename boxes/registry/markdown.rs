//! Descriptions are Markdown; as HTML they are safe to show: what is HTML in them is shown as text, and links lead to the web or to mail.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// A description as HTML.
pub fn html(markdown: &str) -> String {
    if markdown.is_empty() {
        return String::new();
    }
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut written = String::new();
    html::push_html(&mut written, Parser::new_ext(markdown, options).filter_map(safe));
    written
}

fn safe(event: Event<'_>) -> Option<Event<'_>> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Some(Event::Start(Tag::Link { link_type, dest_url: address(dest_url), title, id }))
        }
        // A picture from elsewhere would tell its server who reads this: its words stay.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        other => Some(other),
    }
}

fn address(to: CowStr<'_>) -> CowStr<'_> {
    let good =
        ["https://", "http://", "mailto:"].iter().any(|scheme| to.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)));
    if good { to } else { CowStr::Borrowed("#") }
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(
            html("# Tiny\n\na *small* [box](https://example.com)"),
            "<h1>Tiny</h1>\n<p>a <em>small</em> <a href=\"https://example.com\">box</a></p>\n"
        );
        assert_eq!(html(""), "");
    }

    #[test]
    fn what_could_run_in_a_browser_does_not_get_there() {
        let hostile = "<script>alert(1)</script>\n\na <b onclick=x>b</b> [x](javascript:alert(1)) [y](JavaScript:x) [z](data:text/html,x) ![p](https://spy.example/p.png \"t\") \
                       [q](https://e.com/\"onmouseover=\"x) <javascript:alert(1)>";
        let shown = html(hostile);
        for bad in ["<script", "<b ", "href=\"javascript", "href=\"JavaScript", "href=\"data", "<img", "\"onmouseover"] {
            assert!(!shown.contains(bad), "{bad} in {shown}");
        }
        assert!(shown.contains("&lt;script&gt;"));
    }
}
