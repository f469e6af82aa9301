use crate::options::Options; use crate::builder::*;
pub fn prepare(options: &mut Options<'_>, _c: &BuilderContext<'_>) -> Option<Box<dyn Builder>> { options.problem(None, "x"); None }
