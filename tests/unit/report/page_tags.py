"""What is in a page: its tags, attributes and text; and that it needs nothing but itself."""

from html.parser import HTMLParser

HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(2)>&amp;${7*7}{{7*7}}"


class Tags(HTMLParser):
    """Every tag and attribute of a page, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_data(self, data):
        self.text.append(data)


def assert_needs_nothing_else(page):
    """No script, nothing that is fetched, and pictures in the page itself."""
    tags = Tags(page)
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & set(tags.tags)
    sources = [value for name, value in tags.attributes if name in ("src", "href", "srcset", "action", "poster")]
    assert sources
    assert all(value.startswith(("data:image/", "#")) for value in sources)
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    for reference in ("url(", "@import"):
        assert reference not in page
