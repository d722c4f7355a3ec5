//! The controlled unlock: how locked files change. The unlock contract.
//!
//! People ask ([`open`]), see ([`evidence`]), approve ([`approve`]) and only then is the change made ([`apply`]); [`verify`] judges all of it
//! from history alone, and the lock that follows counts only where it finds nothing. Start at [`verify`].

pub mod after;
pub mod apply;
pub mod approve;
pub mod audit_index;
pub mod authors;
pub mod completed;
pub mod controls;
pub mod current;
pub mod evidence;
pub mod form;
mod form_fields;
pub mod grant;
pub mod install;
pub mod line;
pub mod open;
pub mod people_signed;
pub mod refused;
pub mod request;
pub mod scopes;
pub mod status;
pub mod to_approve;
pub mod verify;
