package stats

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// A Reconstruction is a published audit as a campaign that can be computed: its
// protocol as far as it was published, and how many items have each value.
type Reconstruction struct {
	Protocol Protocol `json:"protocol"`
	Items    int      `json:"items"`
	Labels   []struct {
		Label string `json:"label"`
		Among string `json:"among,omitempty"` // only items of the first of these values are labelled
		Value string `json:"value"`
		N     int    `json:"n"`
		Else  string `json:"else"`
	} `json:"labels"`
}

//go:embed data/reconstructions.json
var reconstructionData embed.FS

// Reconstructions returns the published audits that are reconstructed here, each
// marked as such.
var Reconstructions = sync.OnceValue(func() []Reconstruction {
	var out []Reconstruction
	b, err := reconstructionData.ReadFile("data/reconstructions.json")
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil || len(out) == 0 {
		panic("stats: the reconstructions cannot be read: " + fmt.Sprint(err)) // an embedded file, which the tests read
	}
	return out
})

// Write writes the labelled table of a reconstruction, item by item: the first
// items have the value that was counted.
func (r Reconstruction) Write(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("item_id,surface,collected_at,url_hash,label_name,label_value,annotator,method,confidence\n")
	for i := range r.Items {
		for _, l := range r.Labels {
			of := r.Items
			if l.Among != "" {
				of = 0
				for _, x := range r.Labels {
					if x.Label+"="+x.Value == l.Among {
						of = x.N
					}
				}
			}
			if i >= of {
				continue
			}
			value := l.Else
			if i < l.N {
				value = l.Value
			}
			b.WriteString("r" + strconv.Itoa(i+1) + "," + r.Protocol.Surfaces[0] + "," + r.Protocol.From + ",," + l.Label + "," + value + ",published,reconstruction,\n")
		}
		if b.Len() > 1<<16 {
			if _, err := b.WriteTo(w); err != nil {
				return fmt.Errorf("writing a reconstruction: %w", err)
			}
		}
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("writing a reconstruction: %w", err)
	}
	return nil
}
