package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestSubmitHashes sends hashes as the public client does, Python's names of its
// types included.
func TestSubmitHashes(t *testing.T) {
	d := wired(t)
	d.own(rempart.EntryActive, entryOf("a", "7F3K-9QXM", picture(1)))
	send := func(key, body string) (int, string) {
		status, _, text := d.call("POST", "/v1/SubmitHashes", "application/json", strings.NewReader(body), "x-functions-key", key, "Ocp-Apim-Subscription-Key", "any", "Authorization", "")
		return status, text
	}
	record := func(kind, value, more string) string {
		return fmt.Sprintf(`{"lastModtimestamp":1625167804,"signalType":%q,"hashValue":%q,"CSPFeedbacks":[{"tags":["t"],"feedbackValue":"Blocked"}]%s}`, kind, value, more)
	}
	body := func(records ...string) string {
		return fmt.Sprintf(`{"count":%d,"hashRecords":[%s]}`, len(records), strings.Join(records, ","))
	}
	md5 := strings.Repeat("0123abcd", 4)
	good := body(record("StopNCIISignalType.ImagePDQ", picture(2).Value, ""), record("ImagePDQ", picture(1).Value, ""), record("VideoMD5", md5, ""))
	for range 2 { // sent again, nothing is new
		if status, text := send("key-of-a-partner", good); status != 200 || strings.TrimSpace(text) != `{"count":3}` {
			t.Fatalf("%d %s", status, text)
		}
	}
	tasks, err := d.db.ListTasks(context.Background(), true, 10)
	d.must(err)
	if len(tasks) != 2 {
		t.Fatalf("%d tasks, want the two that the list has not", len(tasks))
	}
	status, _, text := d.call("GET", "/m/lookup?signal_type=pdq&signal="+picture(2).Value, "", nil, "Authorization", "Bearer key-of-the-forum")
	if status != 200 || strings.Count(text, "bank_content_id") != 1 {
		t.Errorf("before anybody accepted it: %d %s", status, text)
	}
	s := d.sit(rempart.RoleAnalyst)
	for _, k := range tasks {
		s.changed("/console/lists/"+k.ID, "decision", "keep")
	}
	d.now = d.now.Add(time.Second)
	_, _, text = d.call("GET", "/v1/FetchHashes", "", nil, "x-functions-key", "key-of-the-forum", "Authorization", "")
	if !strings.Contains(text, picture(2).Value) || !strings.Contains(text, md5) || strings.Contains(text, "null") {
		t.Errorf("once accepted: %s", text)
	}
	flat := picture(3)
	flat.Value = strings.Repeat("0", 64)
	secret := "n0t-to-be-repeated"
	for _, bad := range []string{"", "[]", `{"count":0,"hashRecords":[]}`, strings.Replace(good, `"count":3`, `"count":4`, 1), body(record("VideoTMK", picture(4).Value, "")),
		body(record("ImagePDQ", secret, "")), body(record("ImagePDQ", md5, "")), body(record("ImagePDQ", flat.Value, "")), body(record("ImagePDQ", picture(4).Value, `,"quality":49`)),
		body(record("ImagePDQ", picture(5).Value, ""), strings.Replace(record("ImagePDQ", picture(6).Value, ""), "Blocked", secret, 1))} {
		if status, text := send("key-of-a-partner", bad); status != http.StatusUnprocessableEntity || strings.Contains(text, secret) {
			t.Errorf("%.60q: %d %s", bad, status, text)
		}
	}
	if n, err := d.db.OpenListTasks(context.Background()); err != nil || n != 0 {
		t.Errorf("%d tasks of bodies that were refused, %v", n, err)
	}
	d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: "weights", Name: "W", Kind: rempart.PeerPartner, Lists: []string{"model-weights"}, CreatedAt: d.now}, "key-of-another-list", nil))
	for key, want := range map[string]int{"": 401, "none": 401, "key-of-a-flagger": 403, "key-of-another-list": 403} {
		if status, _ := send(key, body(record("ImagePDQ", picture(7).Value, ""))); status != want {
			t.Errorf("key %q: %d, want %d", key, status, want)
		}
	}
}

// TestNCMECFeedback says that an entry is right, then that it is wrong, as the
// public client writes it.
func TestNCMECFeedback(t *testing.T) {
	d := wired(t)
	d.own(rempart.EntryActive, entryOf("e1", "7F3K-9QXM", picture(1)))
	minors := entryOf("m1", "7F3K-9QXM", picture(1<<20-1))
	minors.List = "ncii-minor"
	d.own(rempart.EntryActive, minors)
	time.Sleep(15 * time.Millisecond) // an answer may rest on what was read 10 ms ago
	status, _, reasons := d.basic("GET", "/v2/feedback/PDQ/reasons", "key-of-a-partner", "")
	if status != 200 || !strings.Contains(reasons, "<availableFeedbackReasons>") || strings.Index(reasons, "<availableFeedbackReasons>") < strings.Index(reasons, "<queryResult") {
		t.Fatalf("%d %s", status, reasons)
	}
	_, rest, _ := strings.Cut(reasons, `guid="`)
	guid, _, _ := strings.Cut(rest, `"`)
	const yes = `<feedbackSubmission xmlns="https://hashsharing.ncmec.org/hashsharing/v2"><affirmative/></feedbackSubmission>`
	no := `<feedbackSubmission xmlns="https://hashsharing.ncmec.org/hashsharing/v2"><negative><reasonIds><guid>` + guid + `</guid></reasonIds></negative></feedbackSubmission>`
	put := func(at, body string) int {
		status, _, _ := d.basic("PUT", "/v2/entries/"+at+"/feedback", "key-of-a-partner", body)
		return status
	}
	if s := put("1/e1/PDQ", yes); s != 200 {
		t.Errorf("affirmative: %d", s)
	}
	if n, _ := d.db.OpenListTasks(context.Background()); n != 0 {
		t.Errorf("an affirmation opened %d tasks", n)
	}
	if s := put("1/e1/PDQ", no); s != 200 {
		t.Errorf("negative: %d", s)
	}
	tasks, err := d.db.ListTasks(context.Background(), true, 10)
	d.must(err)
	if len(tasks) != 1 || tasks[0].Kind != rempart.EntryDisputed {
		t.Errorf("tasks %+v", tasks)
	}
	d.now = d.now.Add(time.Second)
	c := &ncmecClient{d: d, has: map[string]string{}}
	c.all(0, d.now.Unix())
	if _, there := c.has["1-e1"]; there || len(c.has) != 1 {
		t.Errorf("a disputed entry is given: %v", c.has)
	}
	for at, want := range map[string]int{"1/none/PDQ": 404, "2/e1/PDQ": 404, "1/e1/SHA1": 404, "1/e1/MD5": 404} {
		if s := put(at, yes); s != want {
			t.Errorf("%s: %d, want %d", at, s, want)
		}
	}
	for _, body := range []string{"", "<x/>", strings.Replace(no, guid, "none", 1), strings.Replace(yes, "<affirmative/>", "", 1), strings.Replace(yes, "<affirmative/>", "<affirmative/><negative/>", 1)} {
		if s := put("1/e1/PDQ", body); s != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", body, s)
		}
	}
	d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: "adults", Name: "A", Kind: rempart.PeerPartner, Lists: []string{"ncii-adult"}, CreatedAt: d.now}, "key-of-adults", nil))
	if status, _, _ := d.basic("PUT", "/v2/entries/1/m1/PDQ/feedback", "key-of-adults", yes); status != 404 {
		t.Errorf("of an entry of another list: %d, want as if it were not there", status)
	}
}
