// Package axe holds axe-core, Deque's accessibility checker, for the browser
// tests. It is test data: no shipped binary imports it, and nothing here is
// ours except this file. Its origin and its SHA-256 are in README.md.
package axe

import _ "embed"

// Source is axe-core's minified script, UTF-8, about 650 kB. Evaluated in a
// page it defines window.axe; axe.run() then resolves to the violations.
//
//go:embed axe.min.js
var Source string
