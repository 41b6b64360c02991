package flow_test

import "testing"

// TestRequestByHand records by hand what an API of somebody else's decided,
// whether it knows repetitions or not: nothing of it reaches us by itself.
func TestRequestByHand(t *testing.T) {
	for name, keys := range map[string]bool{"knows repetitions": true, "does not": false} {
		t.Run(name, func(t *testing.T) {
			ch := channel{name: name, open: openAPI(keys, connectAPI(keys))}
			s, far, c, id := ch.ready(t)
			s.leave(c, id, far, nil)
			c = s.caseOf(c.Ref)
			if !c.Notice(id).AnsweredByHand() {
				t.Errorf("its answer cannot be recorded: tries %+v", c.Notice(id).Attempts)
			}
			if err := c.DecideByHand(id, c.Items[0].ID, removal, analyst, s.clock.now()); err != nil {
				t.Error(err)
			}
		})
	}
}
