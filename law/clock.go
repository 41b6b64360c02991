package law

import (
	"time"

	"rempart"
)

// A Clock is how long something may take before it is called late.
type Clock struct {
	ID     string
	Label  rempart.Text
	Within time.Duration // 0 when it is counted in months
	Months int           // calendar months
	Policy bool          // our own default, which an operator may change; false: the law's
	Source string
}

// acknowledgementSource is the law behind the three alerts: it gives no number.
const acknowledgementSource = "Règlement (UE) 2022/2065, art. 16(4)\u00a0: «\u00a0sans retard injustifié\u00a0», sans chiffre"

var (
	acknowledgeMinor = Clock{
		ID: "acknowledgement-minor", Within: 24 * time.Hour, Policy: true, Source: acknowledgementSource,
		Label: rempart.Text{FR: "Accusé de réception attendu, contenu sexuel d’une personne mineure", EN: "Acknowledgement expected, sexual content of a minor"},
	}
	acknowledgeSexual = Clock{
		ID: "acknowledgement-sexual", Within: 48 * time.Hour, Policy: true, Source: acknowledgementSource,
		Label: rempart.Text{FR: "Accusé de réception attendu, contenu sexuel", EN: "Acknowledgement expected, sexual content"},
	}
	acknowledgeOther = Clock{
		ID: "acknowledgement-other", Within: 7 * 24 * time.Hour, Policy: true, Source: acknowledgementSource,
		Label: rempart.Text{FR: "Accusé de réception attendu, autre contenu", EN: "Acknowledgement expected, other content"},
	}
	complaint = Clock{
		ID: "complaint", Months: 6, Source: "Règlement (UE) 2022/2065, art. 20",
		Label: rempart.Text{FR: "Délai pour présenter une réclamation contre la décision", EN: "Time to lodge a complaint against the decision"},
	}
)

// Clocks returns the default clocks. Those marked Policy are alerts that we
// chose: the law says "without undue delay" and gives no number.
func Clocks() []Clock {
	return []Clock{acknowledgeMinor, acknowledgeSexual, acknowledgeOther, complaint}
}

// Acknowledgement returns how long after a notice was sent its acknowledgement
// is expected, by default.
func Acknowledgement(f rempart.Facts) time.Duration {
	switch {
	case f.Sexualised() && f.Minor():
		return acknowledgeMinor.Within
	case f.Sexualised():
		return acknowledgeSexual.Within
	}
	return acknowledgeOther.Within
}

// ComplaintUntil returns the end of the complaint window of a decision that
// the person was informed of at informed: the first instant of the day after
// the same day six calendar months later, in informed's zone, or after the
// last day of that month when it has no such day. The law gives at least six
// months and does not say how to count them; ending with the day, and not
// within it, is our reading.
func ComplaintUntil(informed time.Time) time.Time {
	y, m, d := informed.Date()
	last := time.Date(y, m+time.Month(complaint.Months)+1, 0, 0, 0, 0, 0, informed.Location())
	return time.Date(last.Year(), last.Month(), min(d, last.Day())+1, 0, 0, 0, 0, informed.Location())
}
