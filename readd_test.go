package rempart

import (
	"errors"
	"testing"
	"time"
)

func TestAddAddress(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 42, 7, 0, time.UTC)
	code := func(err error) string {
		var e *Error
		errors.As(err, &e)
		if e == nil {
			return ""
		}
		return e.Code
	}
	fresh := func(state ItemState) *Case {
		return &Case{ID: NewID(at), State: CaseClosed, ClosedFor: "fini", ClosedAt: at, OpenedAt: at,
			Items: []Item{{ID: "one", Kind: ItemAddress, State: state, Since: at, Address: "https://forum.exemple.test/1"}}}
	}
	for _, by := range []Actor{ActorReporter, "lune"} {
		c := fresh(ItemRemoved)
		id, err := c.AddAddress(" Forum.exemple.test/2 ", by, at)
		if err != nil {
			t.Fatal(err)
		}
		i := c.Item(id)
		if i == nil || i.Address != "https://forum.exemple.test/2" || i.State != ItemReported || c.State != CaseActive || c.ClosedFor != "" {
			t.Errorf("%s: %+v in a case that is %s", by, i, c.State)
		}
		tasks := 0
		for _, k := range c.Clocks {
			if k.Await == AwaitBack && k.ItemID == id && k.Task == TaskBack {
				tasks++
			}
		}
		if want := map[bool]int{true: 1}[by == ActorReporter]; tasks != want {
			t.Errorf("%s: %d tasks, want %d", by, tasks, want)
		}
		todo := c.TakeConsequences()
		if len(todo.Jobs) != 1 || todo.Jobs[0].Kind != JobAgain || todo.Jobs[0].Payload != id {
			t.Errorf("%s: jobs %+v", by, todo.Jobs)
		}
		for _, e := range todo.Events {
			if by == ActorReporter && e.At.Minute() != 0 {
				t.Errorf("event %s tells the minute %s", e.Kind, e.At)
			}
		}
		if got, err := c.AddAddress("https://forum.exemple.test/2", by, at); code(err) != "address.known" || got != "" || len(c.Items) != 2 {
			t.Errorf("%s: twice: %v, %d items", by, err, len(c.Items))
		}
	}
	for state, want := range map[ItemState]string{
		ItemRemoved: "", ItemDropped: "", ItemReported: "address.known", ItemNotified: "address.known",
		ItemRefused: "address.known", ItemQueued: "address.known", ItemFollowed: "address.known",
	} {
		c := fresh(state)
		id, err := c.AddAddress("forum.exemple.test/1", ActorReporter, at)
		if code(err) != want || len(c.Items) != 1 {
			t.Errorf("%s: %v, %d items", state, err, len(c.Items))
		}
		if want == "" {
			back := fresh(ItemRemoved)
			if err := back.Reappeared("one", at); err != nil {
				t.Fatal(err)
			}
			if _, err := back.AddAddress("forum.exemple.test/1", "lune", at); err != nil || back.Clocks[0].Live() {
				t.Errorf("%v; what asked to look still does", err)
			}
		}
		if want == "" && (id != "one" || c.Items[0].State != ItemReported || c.State != CaseActive) {
			t.Errorf("%s: %q is %s in a case that is %s", state, id, c.Items[0].State, c.State)
		}
		if want != "" && (c.State != CaseClosed || len(c.TakeConsequences().Events) != 0) {
			t.Errorf("%s: refused, and the case is %s", state, c.State)
		}
	}
	for _, a := range []string{"", "data:image/png;base64,AAAA", "rien", "ftp://forum.exemple.test/1"} {
		if _, err := fresh(ItemRemoved).AddAddress(a, ActorReporter, at); code(err) != "report.address" {
			t.Errorf("%q: %v", a, err)
		}
	}
	c := fresh(ItemRemoved)
	for k := 1; k < MaxCaseAddresses; k++ {
		if _, err := c.AddAddress("forum.exemple.test/p/"+itoa(k), "lune", at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.AddAddress("forum.exemple.test/q", "lune", at); code(err) != "address.many" {
		t.Errorf("one too many: %v", err)
	}
	c = fresh(ItemRemoved)
	c.Withdrawn = at
	if _, err := c.AddAddress("forum.exemple.test/2", ActorReporter, at); code(err) != "address.withdrawn" {
		t.Errorf("after a withdrawal: %v", err)
	}
	c = fresh(ItemReported)
	c.State = CaseNew
	if _, err := c.AddAddress("forum.exemple.test/2", ActorReporter, at); err != nil || c.State != CaseNew {
		t.Errorf("by the person before it is qualified: %v, %s", err, c.State)
	}
}
