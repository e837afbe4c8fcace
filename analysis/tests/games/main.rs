//! Equilibria of games whose equilibria are known, and of random ones.

mod fixtures;
mod properties;
mod small_integers;
mod support;
