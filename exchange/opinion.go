package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"rempart"
)

// An Opinion is what whoever uses a list says of an entry that it met, in POST
// /api/v1/opinions. It names the entry by one of its number, its identifier, or
// type and value.
type Opinion struct {
	Entry   uint64                  `json:"entry,omitempty" doc:"number of the entry, as a match gives it"`
	ID      string                  `json:"id,omitempty" doc:"identifier of the entry, as the feed gives it"`
	Type    rempart.FingerprintType `json:"type,omitempty" doc:"of the listed fingerprint, with value"`
	Value   string                  `json:"value,omitempty" doc:"the listed fingerprint"`
	Opinion string                  `json:"opinion" enum:"Blocked,NotBlocked,NotSame,PendingReview" doc:"NotSame: what matched is not the same picture"`
	Tags    []string                `json:"tags,omitempty" doc:"at most 20, of 64 bytes"`
	Seen    *rempart.Fingerprint    `json:"seen,omitempty" doc:"what had been looked up, with its quality; lets the hub keep the entry and silence it for that picture"`
}

// MaxOpinions is the most that are given at once.
const MaxOpinions = 1000

// Opinions is the body of POST /api/v1/opinions.
type Opinions struct {
	Opinions []Opinion `json:"opinions" minItems:"1" maxItems:"1000"`
}

// OpinionsTaken is what it answers.
type OpinionsTaken struct {
	Taken int `json:"taken" doc:"how many were kept: those about entries that this key's lists hold"`
}

// SendOpinions tells the hub at base what is said of its entries. Telling it again
// changes nothing. Any outcome but its answer is a *Failure.
func SendOpinions(ctx context.Context, c *http.Client, base, key string, all []Opinion) (t OpinionsTaken, err error) {
	body, err := json.Marshal(Opinions{all})
	if err != nil {
		return t, fmt.Errorf("exchange: write opinions: %w", err)
	}
	_, _, err = post(ctx, c, base, "/api/v1/opinions", body, http.Header{"Authorization": {"Bearer " + key}}, &t)
	return t, err
}
