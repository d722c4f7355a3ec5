//! An image named by one reference, `NAME:TAG@DIGEST`: after `image:` and `reference:` in YAML and JSON, `FROM` and `--image`.

use super::{Pin, name_and_tag};

/// Keys before a reference, as they are spelled.
const KEYS: [&str; 6] = ["image:", "reference:", "\"image\":", "\"reference\":", "'image':", "'reference':"];

/// What ends a reference.
fn ends(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '\'' | ',' | '}' | ']')
}

/// A text with the digest wherever it names the image by another reference, and how often that was. A tag stays, unless the pin names one.
pub(super) fn pinned(pin: &Pin, text: &str) -> (String, usize) {
    let (mut out, mut times) = (String::with_capacity(text.len()), 0);
    for line in text.split_inclusive('\n') {
        let mut at = 0;
        while let Some(start) = line.get(at..).and_then(|rest| rest.find(&pin.name)).map(|found| at + found) {
            let (before, from) = line.split_at(start);
            let reference = from.split(ends).next().unwrap_or(from);
            out.push_str(line.get(at..start).unwrap_or(""));
            match pin.reference(reference).filter(|_| introduces(before)) {
                Some(pinned) => {
                    out.push_str(&pinned);
                    times += 1;
                }
                None => out.push_str(reference),
            }
            at = start + reference.len();
        }
        out.push_str(line.get(at..).unwrap_or(""));
    }
    (out, times)
}

impl Pin {
    /// The reference with the digest, where it is another one of the image.
    fn reference(&self, reference: &str) -> Option<String> {
        let (name, tag) = name_and_tag(reference.split('@').next()?);
        let tag = self.tag.as_deref().or(tag).map(|tag| format!(":{tag}")).unwrap_or_default();
        let pinned = format!("{name}{tag}@{}", self.digest);
        (name == self.name && pinned != reference).then_some(pinned)
    }
}

/// Whether what follows this beginning of a line is an image's reference.
fn introduces(before: &str) -> bool {
    let unquoted = before.strip_suffix(['"', '\'']).unwrap_or(before);
    if unquoted.trim_start().starts_with('#') || unquoted.contains(" #") {
        return false;
    }
    let words = unquoted.trim_end();
    let is_apart = words.len() < unquoted.len();
    let follows = |word: &str| {
        words.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with([' ', '\t', '{', ',', '[']))
    };
    let is_key = KEYS.iter().any(|key| follows(key) && (is_apart || key.starts_with(['"', '\''])));
    let mut first = words.split_whitespace();
    let is_from =
        first.next().is_some_and(|word| word.eq_ignore_ascii_case("from")) && first.all(|word| word.starts_with("--"));
    is_key || is_apart && (follows("--image") || is_from) || !is_apart && follows("--image=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_gets_the_digest_and_keeps_its_tag_its_quotes_and_its_comment() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let pin = Pin::parse(&format!("r.example:5000/a/b@{digest}")).unwrap();
        // `IMAGE` stands for the image, `PINNED` for it by its digest.
        for (line, wanted) in [
            ("  image: IMAGE:v1\n", "  image: IMAGE:v1@PINNED\n"),
            ("- image: \"IMAGE\" # why\r\n", "- image: \"IMAGE@PINNED\" # why\r\n"),
            ("image: IMAGE:v1@sha256:00", "image: IMAGE:v1@PINNED"),
            ("[{image: IMAGE:v1}, {image: 'IMAGE:v2'}]", "[{image: IMAGE:v1@PINNED}, {image: 'IMAGE:v2@PINNED'}]"),
            ("{\"image\":\"IMAGE:v1\",\"a\":1}", "{\"image\":\"IMAGE:v1@PINNED\",\"a\":1}"),
            ("  reference: IMAGE:v1", "  reference: IMAGE:v1@PINNED"),
            ("from IMAGE:v1 as a", "from IMAGE:v1@PINNED as a"),
            (
                "run --image=IMAGE:v1 && run --image IMAGE:v2",
                "run --image=IMAGE:v1@PINNED && run --image IMAGE:v2@PINNED",
            ),
            ("  image: IMAGEc:v1\n", ""),
            ("  image: x/IMAGE:v1\n", ""),
            ("  # image: IMAGE:v1\n", ""),
            ("a: b # image: IMAGE:v1\n", ""),
            ("  my-image: IMAGE:v1\n", ""),
            ("  image:IMAGE:v1\n", ""),
            ("  command: [IMAGE:v1]\n", ""),
            ("COPY --from=IMAGE:v1 a b\n", ""),
            ("--images=IMAGE:v1\n", ""),
        ] {
            let of = |text: &str| text.replace("IMAGE", "r.example:5000/a/b").replace("PINNED", &digest);
            let wanted = if wanted.is_empty() { line } else { wanted };
            assert_eq!(pinned(&pin, &of(line)).0, of(wanted), "{line}");
        }
        let tagged = Pin::parse(&format!("r.example:5000/a/b:v2@{digest}")).unwrap();
        let (text, times) = pinned(&tagged, "image: r.example:5000/a/b:v1");
        assert_eq!((text, times), (format!("image: r.example:5000/a/b:v2@{digest}"), 1));
    }
}
