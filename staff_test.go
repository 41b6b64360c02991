package rempart

import (
	"slices"
	"testing"
	"time"
)

// TestRights writes down who may do what, apart from the table in the code.
func TestRights(t *testing.T) {
	all := []Right{RightRead, RightWork, RightModerate, RightAudit, RightAdmin, RightBulk, RightExport, RightIdentity, RightStatements, RightFigures, RightRest, RightAnnotate, RightSettle}
	want := map[StaffRole]string{
		RoleAnalyst:   "xx-------x-x-",
		RoleLead:      "xx---x---xxxx",
		RoleReader:    "x--------x---",
		RoleModerator: "--x-----x----",
		RoleAuditor:   "---x-----x---",
		RoleAdmin:     "---xx---x-x--",
		"judge":       "-------------",
		"":            "-------------",
	}
	granted := map[StaffRole]string{ // with every grant there is, and some that there are not
		RoleAnalyst: "xx---xxx-x-x-", RoleLead: "xx---xxx-xxxx", RoleReader: "x----xxx-x---",
		RoleModerator: "--x-----x----", RoleAuditor: "---x-----x---", RoleAdmin: "---xx---x-x--", "judge": "-------------", "": "-------------",
	}
	if len(want) != len(StaffRoles)+2 {
		t.Fatalf("%d roles here, %d in StaffRoles", len(want)-2, len(StaffRoles))
	}
	for role := range want {
		plain, more := "", ""
		for _, r := range all {
			mark := func(s Staff) string {
				if s.May(r) {
					return "x"
				}
				return "-"
			}
			plain += mark(Staff{Role: role})
			more += mark(Staff{Role: role, Grants: append(slices.Clone(Grantable), RightAdmin, RightWork, RightModerate)})
		}
		if plain != want[role] {
			t.Errorf("%q may %s, want %s", role, plain, want[role])
		}
		if more != granted[role] {
			t.Errorf("%q with grants may %s, want %s", role, more, granted[role])
		}
	}
}

func TestFresh(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]bool{0: true, FreshFor - time.Second: true, FreshFor: false, time.Hour: false} {
		if got := (Session{Proved: now.Add(-ago)}).Fresh(now); got != want {
			t.Errorf("%v ago: %v", ago, got)
		}
	}
	if (Session{}).Fresh(now) {
		t.Error("fresh without a proof")
	}
}
