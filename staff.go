package rempart

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// StaffRole is what somebody of the staff does; it carries rights, see
// [StaffRole.Rights].
type StaffRole string

// Roles of staff.
const (
	RoleAnalyst   StaffRole = "analyst"   // works cases
	RoleLead      StaffRole = "lead"      // works cases, acts on many at once, sees who works on what
	RoleReader    StaffRole = "reader"    // reads cases, changes nothing
	RoleModerator StaffRole = "moderator" // decides on notices, on a platform
	RoleAuditor   StaffRole = "auditor"   // reads the ledger and the figures; sees no case
	RoleAdmin     StaffRole = "admin"     // manages staff, peers, services; sees no case
)

// StaffRoles lists every role.
var StaffRoles = []StaffRole{RoleAnalyst, RoleLead, RoleReader, RoleModerator, RoleAuditor, RoleAdmin}

// A Right is one thing that somebody may do.
type Right string

// Rights. Those of the second group are in no role but lead's bulk: an
// administrator grants them to one person at a time.
const (
	RightRead       Right = "read"       // read cases
	RightWork       Right = "work"       // change cases
	RightModerate   Right = "moderate"   // read notices received and decide on them, check uploads
	RightAudit      Right = "audit"      // read the ledger
	RightFigures    Right = "figures"    // see the dashboard: counts and times, no case
	RightStatements Right = "statements" // take out the statements of reasons, which name nobody
	RightAdmin      Right = "admin"      // manage staff, peers and services
	RightRest       Right = "rest"       // make the association's minimum of rest stricter
	RightAnnotate   Right = "annotate"   // label the items of audit campaigns
	RightSettle     Right = "settle"     // settle what two annotators differ on, end the labelling

	RightBulk     Right = "bulk"     // act on many cases at once
	RightExport   Right = "export"   // take case files out of the instance
	RightIdentity Right = "identity" // open the sealed identity of a person who reported
)

// Grantable lists the rights that are given to a person beside her role.
var Grantable = []Right{RightBulk, RightExport, RightIdentity}

// roleRights says what each role carries.
var roleRights = map[StaffRole][]Right{
	RoleAnalyst:   {RightRead, RightWork, RightFigures, RightAnnotate},
	RoleLead:      {RightRead, RightWork, RightFigures, RightBulk, RightRest, RightAnnotate, RightSettle},
	RoleReader:    {RightRead, RightFigures},
	RoleModerator: {RightModerate, RightStatements},
	RoleAuditor:   {RightAudit, RightFigures},
	RoleAdmin:     {RightAdmin, RightAudit, RightStatements, RightRest},
}

// Rights returns what a role carries, nothing for one that is unknown.
func (r StaffRole) Rights() []Right { return slices.Clone(roleRights[r]) }

// A Staff is a person who signs in. Only the alias leaves the instance.
type Staff struct {
	ID         string    `json:"id"`
	Login      string    `json:"login"`
	Alias      Actor     `json:"alias"`
	Role       StaffRole `json:"role"`
	Grants     []Right   `json:"grants,omitempty"` // of Grantable, beside those of the role
	Groups     Themes    `json:"groups,omitzero"`  // themes that she works on; none: all of them, see [Staff.Barred]
	CreatedAt  time.Time `json:"created_at"`
	DisabledAt time.Time `json:"disabled_at,omitzero"`
}

// MaxStaffName is the longest login or alias, in runes.
const MaxStaffName = 60

// Check says what is wrong with a member as an administrator described her.
func (s Staff) Check() error {
	fault := func(field, code, public string) error {
		return &Error{Kind: Invalid, Field: field, Code: code, Public: public}
	}
	if n := utf8.RuneCountInString(s.Login); n == 0 || n > MaxStaffName || strings.ContainsFunc(s.Login, unicode.IsSpace) || !printable(s.Login) {
		return fault("login", "staff.login_form", "Give a login of 1 to 60 letters, digits or signs, without spaces.")
	}
	if n := utf8.RuneCountInString(string(s.Alias)); n == 0 || n > MaxStaffName || !printable(string(s.Alias)) {
		return fault("alias", "staff.alias_form", "Give an alias of 1 to 60 letters: what others see of her, never her name.")
	}
	if !slices.Contains(StaffRoles, s.Role) {
		return fault("role", "staff.role_form", "Choose a role.")
	}
	for _, g := range s.Grants {
		if !slices.Contains(Grantable, g) {
			return fault("grant", "staff.grant_form", "This right cannot be granted.")
		}
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
}

// May says whether a member has a right, by her role or by a grant. A grant
// counts only beside a right to read what it applies to: nobody exports cases
// that she may not read.
func (s Staff) May(r Right) bool {
	rights := roleRights[s.Role]
	if slices.Contains(rights, r) {
		return true
	}
	return slices.Contains(Grantable, r) && slices.Contains(rights, RightRead) && slices.Contains(s.Grants, r)
}

// Lifetimes of a staff session: without a request, and at most.
const (
	SessionIdle = 30 * time.Minute
	SessionMax  = 12 * time.Hour
)

// FreshFor is how long after a second factor what is sensitive is open without
// asking for it again.
const FreshFor = 10 * time.Minute

// A Session is somebody signed in.
type Session struct {
	Staff   Staff
	Started time.Time
	Proved  time.Time // when a second factor was last given in it; zero if never
}

// Fresh says whether a second factor was given within FreshFor before now.
func (s Session) Fresh(now time.Time) bool {
	return !s.Proved.IsZero() && now.Sub(s.Proved) < FreshFor
}

// FactorKind is a way to prove who one is, beside or instead of a password.
type FactorKind string

// Kinds of factors.
const (
	FactorPasskey FactorKind = "passkey" // WebAuthn credential
	FactorTOTP    FactorKind = "totp"    // time-based one-time password, RFC 6238
)

// A Factor is one passkey, or the one-time passwords of one authenticator.
type Factor struct {
	ID        string     `json:"id"`
	StaffID   string     `json:"staff_id"`
	Kind      FactorKind `json:"kind"`
	Name      string     `json:"name"` // as its owner calls it
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    time.Time  `json:"used_at,omitzero"`
}

// MaxFactors is how many factors somebody may have.
const MaxFactors = 10
