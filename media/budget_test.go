package media_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"rempart/media"
)

// TestTogether decodes many pictures at once, some of them whole, some cut,
// some given up, and checks that the budget lets all of them through.
func TestTogether(t *testing.T) {
	whole := encodeJPEG(t, scene(1200, 900))
	want, err := media.Fingerprint(t.Context(), bytes.NewReader(whole), media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			switch i % 3 {
			case 0:
				got, err := media.Fingerprint(ctx, bytes.NewReader(whole), media.Limits{})
				if err != nil || got.PDQ != want.PDQ {
					t.Errorf("%v, %v", got.PDQ, err)
				}
			case 1:
				if _, err := media.Decode(ctx, bytes.NewReader(whole[:len(whole)/2]), media.Limits{}); err == nil {
					t.Error("half a file was decoded")
				}
			case 2:
				ctx, cancel := context.WithTimeout(ctx, time.Duration(i)*time.Millisecond)
				defer cancel()
				_, _ = media.Decode(ctx, bytes.NewReader(whole), media.Limits{}) // may or may not be in time
			}
		})
	}
	wg.Wait()
	if got, err := media.Fingerprint(ctx, bytes.NewReader(whole), media.Limits{}); err != nil || got.PDQ != want.PDQ {
		t.Errorf("afterwards: %v, %v", got.PDQ, err)
	}
}
