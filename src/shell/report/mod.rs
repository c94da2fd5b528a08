//! Reports: made of what is stored, and written as a page, as CSV, and as lines of text.
//!
//! | file | writes |
//! |---|---|
//! | `page.rs`, `report.html`, `report.css` | a page of its own: no script, nothing loaded, made to be printed |
//! | `plot.rs` | its plots, as SVG |
//! | `csv.rs` | CSV (RFC 4180) |
//! | `words.rs` | the words of each language, and how times are written |
//!
//! **Invariant:** whatever came from outside is escaped: by the templates, and in CSV so that no spreadsheet computes it.

mod csv;
mod page;
mod plot;
mod words;

pub use csv::csv;
pub use page::page;
pub use words::{Writing, advice, say};

use crate::pure::decide::outage::topics;
use crate::pure::decide::recurring::recurring;
use crate::pure::domain::Timestamp;
use crate::pure::domain::report::{Report, ReportOf};
use crate::shell::registry::Tenant;
use crate::shell::store::{Store, StoreError};

/// Makes a report as things stand at an instant; its days are those of the firm's time zone.
///
/// # Errors
/// When the database cannot be asked, or takes too long.
pub async fn make(store: &Store, of: &ReportOf, tenant: &Tenant, now: Timestamp) -> Result<Report, StoreError> {
    let policy = &tenant.policy;
    let mut found = store.report(of, &policy.time_zone, now).await?;
    for ticket in &mut found.tickets {
        ticket.topics = topics(&policy.matters, &ticket.text);
    }
    Ok(Report { subjects: recurring(&found.tickets, &tenant.words), ..found.report })
}
