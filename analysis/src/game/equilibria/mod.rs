//! Equilibria.
mod homotopy;
