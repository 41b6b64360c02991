package rempart

import (
	"slices"
	"time"
)

// A Reminded is one time that the notifier of an intake asked again.
type Reminded struct {
	Key string    `json:"key"` // of the reminder: a second one with it is the same
	At  time.Time `json:"at"`
}

// MaxReminders is how many reminders of one notice an intake takes.
const MaxReminders = 50

// Remind records that the notifier asks again, once for each key. What it was to
// be told and did not take, as when delivery was given up, is told again.
func (i *Intake) Remind(key, awaits string, at time.Time) error {
	if slices.ContainsFunc(i.Reminders, func(r Reminded) bool { return r.Key == key }) {
		return nil
	}
	if len(i.Reminders) >= MaxReminders {
		return conflict("reminder.many", "This notice was reminded of too often; it waits for a moderator all the same.")
	}
	i.Reminders = append(slices.Clip(i.Reminders), Reminded{key, at})
	i.UpdatedAt = at
	n := itoa(len(i.Reminders))
	i.event("intake.reminded", i.ID, ActorPlatform+Actor(i.PeerID), at, "number", i.Number, "count", n)
	_, acknowledged := i.Told[CallbackAcknowledged]
	_, decided := i.Told[CallbackDecided]
	switch {
	case i.State == IntakeDecided && !decided:
		i.job(Job{Kind: JobCallback, Subject: i.ID, Key: "decide:" + i.ID + ":" + n, Payload: CallbackDecided, RunAt: at})
	case awaits == "acknowledgement" && !acknowledged:
		i.job(Job{Kind: JobCallback, Subject: i.ID, Key: "acknowledge:" + i.ID + ":" + n, Payload: CallbackAcknowledged, RunAt: at})
	}
	return nil
}
