// Package stats computes figures that can be published: proportions with their
// intervals, corrections, agreement between annotators, and the cards that
// carry a figure together with its numerator, denominator and warnings.
//
// It reads labelled tables, never pictures: a row holds identifiers, hashes of
// addresses and labels. It does no I/O beyond the readers it is given.
package stats
