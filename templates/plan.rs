//! From a template to builds that are ready to run.

use crate::problem::Problem;
use crate::request::BuildRequest;

/// Every mistake of the template under these variables and this selection; empty: it is valid. Touches nothing.
pub fn validate(_request: &BuildRequest) -> Vec<Problem> {
    Vec::new()
}
