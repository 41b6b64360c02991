package law

import "testing"

// TestNoticeCategory: a minor's notice is in part 9, whatever its code says, and
// a code that nobody knows is "not specified", never a guess.
func TestNoticeCategory(t *testing.T) {
	for _, x := range []struct {
		code  string
		minor bool
		want  string
	}{{"3f", false, "3f"}, {"9c", false, "9c"}, {"9c", true, "9c"}, {"3f", true, "9c"}, {"4g", true, "9c"}, {"3e", true, "9b"}, {"", true, "9b"}, {"", false, "17"}, {"4g", false, "17"}, {"17", true, "9b"}, {"x", false, "17"}} {
		if got := NoticeCategory(x.code, x.minor).Code; got != x.want {
			t.Errorf("%q, minor %v: %s, want %s", x.code, x.minor, got, x.want)
		}
	}
	for _, code := range []string{"3a", "3b", "3e", "3f", "9b", "9c", "9d", "9f", "15a", "17"} {
		if c, ok := CategoryByCode(code); !ok || c.Statement == "" {
			t.Errorf("%s: %+v", code, c)
		}
	}
}
