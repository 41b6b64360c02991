// Package e2e holds the tests of the whole: the built binary as a child process,
// driven as people drive it, in a real browser or over HTTP. It exports nothing.
//
// What is promised to people is tested here and nowhere else: that nothing of the
// picture, of its file or of the person's device is kept or sent
// (journey_test.go, secrets_test.go), that wrong input loses nothing and doubles
// nothing (wrong_test.go), that every page can be used by everyone
// (access_test.go), that the process may be killed at any step (kill_test.go).
//
// Tests find things on the pages by the names of fields and the addresses of
// forms, and take the sentences they expect from the catalogues: a better wording
// breaks no test.
//
// With REMPART_SCREENSHOTS=<folder>, pages_test.go writes there the pictures of
// the documentation; with REMPART_SCREENSHOTS_ALL=1 too, every page in both
// languages, light and dark, for a desktop and a phone, in its folder all.
package e2e
