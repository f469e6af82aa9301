//! The guest's packages as an SPDX 2.3 document. Ids depend on nothing but what is in it.

use serde_json::{Value, json};

use super::{Subject, Told};
use crate::packages::{Package, Packages};

const VERSION: &str = "SPDX-2.3";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";
const NOTHING: &str = "NOASSERTION";
/// Digits of a digest that keep names apart.
const DIGITS: usize = 16;

/// The document of an image with these packages.
pub fn document(told: &Told<'_>, packages: &Packages, subjects: &[Subject]) -> Value {
    let ids: Vec<String> = packages.list.iter().map(id).collect();
    let mut listed = vec![image(told, packages, subjects)];
    listed.extend(packages.list.iter().zip(&ids).map(|(package, id)| one(package, id, packages)));
    let mut relations = vec![relation(DOCUMENT, "DESCRIBES", IMAGE)];
    relations.extend(ids.iter().map(|id| relation(IMAGE, "CONTAINS", id)));
    let content = json!([listed, relations]).to_string();
    json!({
        "spdxVersion": VERSION,
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": told.name,
        "documentNamespace": format!("urn:kiste:spdx:{}", fingerprint(&content)),
        "creationInfo": {
            "created": format!("{:.0}", told.began),
            "creators": [format!("Tool: kiste-{}", env!("CARGO_PKG_VERSION"))],
        },
        "packages": listed,
        "relationships": relations,
    })
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

fn image(told: &Told<'_>, packages: &Packages, subjects: &[Subject]) -> Value {
    let mut image = json!({
        "name": told.name,
        "SPDXID": IMAGE,
        "downloadLocation": NOTHING,
        "filesAnalyzed": false,
        "licenseConcluded": NOTHING,
        "licenseDeclared": NOTHING,
        "copyrightText": NOTHING,
        "primaryPackagePurpose": "OPERATING-SYSTEM",
        "comment": packages.system_name,
    });
    if let [only] = subjects {
        image["checksums"] = json!([{ "algorithm": "SHA256", "checksumValue": only.sha256 }]);
    }
    image
}

fn one(package: &Package, id: &str, packages: &Packages) -> Value {
    let mut value = json!({
        "name": package.name,
        "SPDXID": id,
        "versionInfo": package.version,
        "downloadLocation": NOTHING,
        "filesAnalyzed": false,
        "licenseConcluded": NOTHING,
        "licenseDeclared": NOTHING,
        "copyrightText": NOTHING,
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl(package, packages),
        }],
    });
    if !package.supplier.is_empty() {
        value["supplier"] = json!(format!("Organization: {}", package.supplier));
    }
    if !package.license.is_empty() {
        // Package managers write what is often no expression of SPDX.
        value["licenseComments"] = json!(format!("As the package says: {}", package.license));
    }
    value
}

/// Letters, digits, `.` and `-` are all that an id may hold; a fingerprint keeps those apart that look alike then.
fn id(package: &Package) -> String {
    let plain: String = package.name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let whole = format!("{}\t{}\t{}", package.name, package.version, package.architecture);
    format!("SPDXRef-Package-{plain}-{}", &fingerprint(&whole)[..DIGITS])
}

fn fingerprint(text: &str) -> String {
    kiste_boxes::digest::of_text(text)
}

/// A package URL: `pkg:deb/debian/adduser@3.134?arch=all&distro=debian-12`.
fn purl(package: &Package, packages: &Packages) -> String {
    let mut url = format!("pkg:{}/{}/{}", packages.kind, encoded(&packages.system), encoded(&package.name));
    url.push_str(&format!("@{}", encoded(&package.version)));
    let mut more = Vec::new();
    if !package.architecture.is_empty() {
        more.push(format!("arch={}", encoded(&package.architecture)));
    }
    if !packages.system_version.is_empty() {
        more.push(format!("distro={}-{}", encoded(&packages.system), encoded(&packages.system_version)));
    }
    if !more.is_empty() {
        url.push_str(&format!("?{}", more.join("&")));
    }
    url
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
