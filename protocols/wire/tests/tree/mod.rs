//! JSON as written: fields keep their order and may repeat, numbers and texts keep their writing. What no library keeps, because
//! nobody but an adversary needs it.

/// A piece of JSON.
#[derive(Clone)]
pub(crate) enum Tree {
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
    /// Between the quotes, escapes as written.
    Text(String),
    Number(String),
    /// `true`, `false`, `null`, or anything else to be written as it is.
    Raw(String),
}

/// One object's fields.
pub(crate) type Fields = Vec<(String, Tree)>;

impl Tree {
    /// Reads canonical bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("a good vector is UTF-8");
        let mut rest = text;
        let tree = value(&mut rest);
        assert!(rest.is_empty(), "a good vector is one value");
        tree
    }

    /// Writes it as it stands.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.to_text().into_bytes()
    }

    fn to_text(&self) -> String {
        match self {
            Self::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| format!("\"{name}\":{}", value.to_text()));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }
            Self::List(items) => {
                let items = items.iter().map(Self::to_text);
                format!("[{}]", items.collect::<Vec<_>>().join(","))
            }
            Self::Text(text) => format!("\"{text}\""),
            Self::Number(raw) | Self::Raw(raw) => raw.clone(),
        }
    }

    /// All trees in which one object was changed in one of the ways that `change` gives.
    pub(crate) fn each_object(&self, change: impl Fn(&Fields) -> Vec<Fields> + Copy) -> Vec<Self> {
        self.each(&|tree| match tree {
            Self::Object(fields) => change(fields).into_iter().map(Self::Object).collect(),
            _ => Vec::new(),
        })
    }

    /// All trees in which one number was replaced by one of the texts that `change` gives.
    pub(crate) fn each_number(&self, change: impl Fn(&str) -> Vec<String> + Copy) -> Vec<Self> {
        self.each(&|tree| match tree {
            Self::Number(number) => change(number).into_iter().map(Self::Raw).collect(),
            _ => Vec::new(),
        })
    }

    /// All trees in which one text was replaced by one of the raw writings that `change` gives.
    pub(crate) fn each_text(&self, change: impl Fn(&str) -> Vec<String> + Copy) -> Vec<Self> {
        self.each(&|tree| match tree {
            Self::Text(text) => change(text).into_iter().map(Self::Raw).collect(),
            _ => Vec::new(),
        })
    }

    fn each(&self, change: &dyn Fn(&Self) -> Vec<Self>) -> Vec<Self> {
        let mut all = change(self);
        match self {
            Self::Object(fields) => {
                for (place, (name, value)) in fields.iter().enumerate() {
                    all.extend(value.each(change).into_iter().map(|value| {
                        let mut fields = fields.clone();
                        fields[place] = (name.clone(), value);
                        Self::Object(fields)
                    }));
                }
            }
            Self::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    all.extend(item.each(change).into_iter().map(|item| {
                        let mut items = items.clone();
                        items[place] = item;
                        Self::List(items)
                    }));
                }
            }
            _ => {}
        }
        all
    }
}

fn eat<'a>(rest: &mut &'a str, length: usize) -> &'a str {
    let (head, tail) = rest.split_at(length);
    *rest = tail;
    head
}

fn text(rest: &mut &str) -> String {
    assert_eq!(eat(rest, 1), "\"");
    let mut escaped = false;
    let end = rest.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let text = eat(rest, end.expect("a text ends")).to_owned();
    eat(rest, 1);
    text
}

fn value(rest: &mut &str) -> Tree {
    match rest.as_bytes().first().expect("a value") {
        b'{' => Tree::Object(items(rest, |rest| {
            let name = text(rest);
            eat(rest, 1);
            (name, value(rest))
        })),
        b'[' => Tree::List(items(rest, value)),
        b'"' => Tree::Text(text(rest)),
        first => {
            let end = rest.find([',', '}', ']']).unwrap_or(rest.len());
            let raw = eat(rest, end).to_owned();
            if first.is_ascii_alphabetic() {
                Tree::Raw(raw)
            } else {
                Tree::Number(raw)
            }
        }
    }
}

fn items<T>(rest: &mut &str, item: impl Fn(&mut &str) -> T) -> Vec<T> {
    eat(rest, 1);
    let mut all = Vec::new();
    while !rest.starts_with(['}', ']']) {
        all.push(item(rest));
        if rest.starts_with(',') {
            eat(rest, 1);
        }
    }
    eat(rest, 1);
    all
}
