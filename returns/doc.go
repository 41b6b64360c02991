// Package returns makes the periodic publications of an instance (a return is
// never called a report): the trusted flagger's annual report (DSA art. 22(3)),
// the platform's harmonised transparency report (Implementing Regulation (EU)
// 2024/2835), and the report to Parliament. Each is made by construction from
// counts ([rempart.Count]), which the store writes in the transaction of the
// events they follow from, and of an [Edition], which is what was frozen about
// it: of the same two, the files are the same, byte for byte.
//
// It does no I/O: what it makes is a list of files in memory.
package returns
