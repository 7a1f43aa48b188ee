//! Whole worlds in which simkeeper must keep its promises.
