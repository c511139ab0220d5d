//! Page tokens: opaque to clients, bound to their run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::run::Plan;
use crate::values;

#[derive(Serialize, Deserialize)]
struct Claims {
    page: u64,
    limit: u64,
    run: String,
    seal: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pad: String,
}

/// Characters that a query string must escape and that careless code splits at.
const WEIRD: &str = "a&b=c+d/e?f#g%2Fh ü\"\\;:";

/// The token of a page.
pub(crate) fn write_token(plan: &Plan, page: u64) -> String {
    let pad = plan.fault("token-huge").map_or(0, |fault| {
        usize::try_from(fault.number("bytes")).unwrap_or(0) * 3 / 4
    });
    let claims = Claims {
        page,
        limit: plan.page_size,
        run: plan.id.clone(),
        seal: token_seal(plan, page),
        pad: "x".repeat(pad),
    };
    let text = STANDARD.encode(serde_json::to_vec(&claims).unwrap_or_default());
    if plan.fault("token-weird").is_some() {
        format!("{WEIRD}{text}")
    } else {
        text
    }
}

/// The page that a token of this run names.
pub(crate) fn read_token(plan: &Plan, token: &str) -> Option<u64> {
    let text = token.strip_prefix(WEIRD).unwrap_or(token);
    let claims: Claims = serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
    (claims.seal == token_seal(plan, claims.page) && claims.run == plan.id).then_some(claims.page)
}

fn token_seal(plan: &Plan, page: u64) -> u64 {
    values::mix_bits(
        values::mix_bits(plan.seed, values::hash_bytes(plan.id.as_bytes())),
        page,
    ) >> 12
}
