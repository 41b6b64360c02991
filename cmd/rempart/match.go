package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"rempart"
	"rempart/pdq"
)

// matchCmd asks an instance about pictures and videos; only fingerprints travel.
type matchCmd struct {
	URL   string   `help:"Address of the instance." default:"http://127.0.0.1:8080" env:"REMPART_URL"`
	Key   string   `help:"A platform's key there." env:"REMPART_KEY" required:""`
	JSON  bool     `name:"json" help:"One JSON object a line."`
	Files []string `arg:"" name:"file" help:"Pictures and videos, as rempart hash reads them."`
}

// Help says what a program that calls this wants to know.
func (c *matchCmd) Help() string {
	return "Exit status: 0 if every file was asked for, whether anything matched or not (read the lines); 1 if one could not be; 2 if the command was not understood."
}

// Run prints the matches of each file; it fails, at the end, if any file could
// not be asked for.
func (c *matchCmd) Run(ctx context.Context, s streams) error {
	u, err := url.JoinPath(c.URL, "/api/v1/match")
	if err != nil {
		return hinted{err, "give -url such as http://127.0.0.1:8080"}
	}
	client := &http.Client{Timeout: time.Minute}
	failed, asked := false, ""
	enc := json.NewEncoder(s.out)
	for _, name := range c.Files {
		matches, err := c.ask(ctx, client, u, name)
		if err != nil {
			failed = true
			fmt.Fprintf(s.err, "rempart: error: %s: %v\n", name, err)
			if c.JSON {
				enc.Encode(map[string]string{"file": name, "error": err.Error()})
			}
			continue
		}
		asked = "; the other files were asked for"
		if c.JSON {
			if slices.ContainsFunc(matches, untold) {
				bare := []map[string]any{}
				for _, m := range matches {
					bare = append(bare, map[string]any{"list": m.List, "type": m.Type, "class": m.Class, "action": m.Action, "entry": m.Num})
				}
				enc.Encode(map[string]any{"file": name, "matches": bare})
				continue
			}
			enc.Encode(map[string]any{"file": name, "matches": matches})
			continue
		}
		if len(matches) == 0 {
			fmt.Fprintf(s.out, "no match %s\n", name)
		}
		for _, m := range matches {
			if untold(m) {
				fmt.Fprintf(s.out, "match %s %s – – %s – %s\n", m.List, m.Type, m.Action, name)
				continue
			}
			fmt.Fprintf(s.out, "match %s %s %d %s %s %s%s %s\n", m.List, m.Type, m.Distance, m.Form, m.Action, m.CaseRef, ofVideo(m), name)
		}
	}
	if failed {
		fmt.Fprintln(s.err, "rempart: hint: check the file, the address and the key"+asked)
		return errShown
	}
	return nil
}

// ofVideo is what a line says more of a match in videos: both percentages, or the
// second at which one image matched.
func ofVideo(m rempart.Match) string {
	switch {
	case m.Video != nil:
		return fmt.Sprintf(" query=%.1f%% listed=%.1f%% aligned=%.1f%%", m.Video.Query, m.Video.Listed, m.Video.Aligned)
	case m.At != nil:
		return fmt.Sprintf(" at=%.1fs", *m.At)
	}
	return ""
}

// A queryPrint is one fingerprint as POST /api/v1/match takes it.
type queryPrint struct {
	rempart.Fingerprint
	Dihedral []string `json:"dihedral,omitempty"`
}

// printsOf returns the fingerprints of a file, as they are asked for.
func printsOf(ctx context.Context, name string) ([]queryPrint, error) {
	if isVideo(name) {
		v, err := hashVideo(ctx, name)
		if err != nil {
			return nil, err
		}
		prints := []queryPrint{{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: v.SHA256}}}
		if all := rempart.NewVPDQ(v.VideoFingerprints.Features, rempart.MaxFrames); all.Listable() {
			prints = append(prints, queryPrint{Fingerprint: all})
		}
		if inner := v.VideoFingerprints.Unbordered(pdq.Original); len(rempart.CountedImages(inner)) > 0 {
			f := rempart.NewVPDQ(inner, rempart.MaxFrames)
			f.Form = rempart.Unbordered
			prints = append(prints, queryPrint{Fingerprint: f})
		}
		return prints, nil
	}
	fp, err := hashFile(ctx, name)
	if err != nil {
		return nil, err
	}
	prints := []queryPrint{{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: fp.SHA256}}}
	if fp.Quality >= rempart.MinQuality {
		p := queryPrint{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: fp.PDQ.String(), Quality: fp.Quality}}
		for _, h := range fp.Dihedral {
			p.Dihedral = append(p.Dihedral, h.String())
		}
		prints = append(prints, p)
	}
	if in := fp.Unbordered; in != nil {
		p := queryPrint{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: in.PDQ.String(), Quality: in.Quality, Form: rempart.Unbordered}}
		for _, h := range in.Dihedral {
			p.Dihedral = append(p.Dihedral, h.String())
		}
		prints = append(prints, p)
	}
	return prints, nil
}

func (c *matchCmd) ask(ctx context.Context, client *http.Client, u, name string) ([]rempart.Match, error) {
	prints, err := printsOf(ctx, name)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"fingerprints": prints})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var p struct{ Detail string }
		json.Unmarshal(b, &p) // an answer that is no problem document has no detail
		return nil, fmt.Errorf("answered %d: %s", resp.StatusCode, p.Detail)
	}
	var a struct {
		Results []struct{ Matches []rempart.Match }
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, fmt.Errorf("answer cannot be read: %w", err)
	}
	matches := []rempart.Match{}
	for _, r := range a.Results {
		matches = append(matches, r.Matches...)
	}
	return matches, nil
}

// untold tells whether the key that asked may only look up, and so is told neither
// what is listed nor how near it is.
func untold(m rempart.Match) bool { return m.Value == "" }
