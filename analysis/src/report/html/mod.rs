//! A campaign's analysis as one HTML page that needs no network: figures by plotly.js, which is in the page, and every
//! figure's numbers as a table.
//!
//! The page is a function of the analysis alone: the same analysis gives the same bytes.

mod figure;
mod names;
mod page;
mod sections;
mod style;
mod table;

pub(crate) use names::{Names, counted, maybe, range};
pub use page::{PageError, page};
