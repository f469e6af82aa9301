//! The functions that texts can call, with the types of what they take.

/// Type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `string`
    Text,
    /// `int`
    Int,
    /// Any.
    Any,
}

impl Type {
    /// Go's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "int",
            Self::Any => "interface {}",
        }
    }
}

/// What a function takes.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Name.
    pub name: &'static str,
    /// These.
    pub fixed: &'static [Type],
    /// Any number of these after them.
    pub rest: Option<Type>,
}

impl Signature {
    /// What it wants, if that many are wrong.
    pub fn refuses(&self, given: usize) -> Option<String> {
        match self.rest {
            Some(_) if given < self.fixed.len() => Some(format!("at least {}", self.fixed.len())),
            None if given != self.fixed.len() => Some(self.fixed.len().to_string()),
            _ => None,
        }
    }

    /// Type of a parameter.
    pub fn of(&self, index: usize) -> Type {
        self.fixed.get(index).copied().or(self.rest).unwrap_or(Type::Any)
    }
}

const fn takes(name: &'static str, fixed: &'static [Type]) -> Signature {
    Signature { name, fixed, rest: None }
}

const fn takes_more(name: &'static str, fixed: &'static [Type], rest: Type) -> Signature {
    Signature { name, fixed, rest: Some(rest) }
}

use Type::{Any, Int, Text};

/// Every function: Packer's, then those of Go's templates.
pub const FUNCTIONS: [Signature; 41] = [
    takes("user", &[Text]),
    takes("env", &[Text]),
    takes("build", &[Text]),
    takes("build_name", &[]),
    takes("build_type", &[]),
    takes("packer_version", &[]),
    takes("template_dir", &[]),
    takes("pwd", &[]),
    takes("uuid", &[]),
    takes("timestamp", &[]),
    takes_more("isotime", &[], Text),
    takes("strftime", &[Text]),
    takes("lower", &[Text]),
    takes("upper", &[Text]),
    takes("split", &[Text, Text, Int]),
    takes("replace", &[Text, Text, Int, Text]),
    takes("replace_all", &[Text, Text, Text]),
    takes("sed", &[Text, Text]),
    takes("consul_key", &[Text]),
    takes("vault", &[Text, Text]),
    takes_more("aws_secretsmanager", &[], Text),
    takes("aws_secretsmanager_raw", &[Text]),
    takes_more("and", &[Any], Any),
    takes_more("or", &[Any], Any),
    takes("not", &[Any]),
    takes_more("call", &[Any], Any),
    takes_more("html", &[], Any),
    takes_more("js", &[], Any),
    takes_more("urlquery", &[], Any),
    takes_more("index", &[Any], Any),
    takes_more("slice", &[Any], Any),
    takes("len", &[Any]),
    takes_more("print", &[], Any),
    takes_more("println", &[], Any),
    takes_more("printf", &[Text], Any),
    takes_more("eq", &[Any], Any),
    takes("ne", &[Any, Any]),
    takes("lt", &[Any, Any]),
    takes("le", &[Any, Any]),
    takes("gt", &[Any, Any]),
    takes("ge", &[Any, Any]),
];

/// A function's signature.
pub fn signature(name: &str) -> Option<&'static Signature> {
    FUNCTIONS.iter().find(|f| f.name == name)
}

/// Whether a function of this name can be called; else Go's word for it and the nearest name.
pub fn known(name: &str) -> Result<(), String> {
    if signature(name).is_some() {
        return Ok(());
    }
    let near = crate::nearest::nearest(name, FUNCTIONS.iter().map(|f| f.name)).map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
    Err(format!("function \"{name}\" not defined{near}"))
}
