package web

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"rempart"
)

// What a key opens is read from the database again after keyFresh, so that a key
// that was taken back opens nothing a second and a half later, in whichever process
// that was done; in this one at once. While the database is away, what was read keyAway ago
// at most still holds, as lookups must go on.
const (
	keyFresh = time.Second
	keyAway  = 15 * time.Minute
	keysKept = 10_000

	keyWait   = 5 * time.Second        // for the database, of a key that is not known
	keyRecall = 500 * time.Millisecond // of one that is, by one request; the others go on meanwhile
	keyRetry  = time.Second            // after the database did not answer
)

// keys remembers whose a key is. Keys themselves are not in it.
type keys struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]knownKey
	away  time.Time // until when the database is not asked for keys that are known
}

type knownKey struct {
	peer    rempart.Peer
	at      time.Time
	changes int64     // of peers, by this process, before it was read
	asking  time.Time // until when a request is reading it again
}

// ended tells whether the key that a peer came in with has ended meanwhile: the
// database need not answer for that to hold.
func (s *Server) ended(p rempart.Peer) bool {
	return !p.KeyUntil.IsZero() && !p.KeyUntil.After(s.Now())
}

// peerByKey is store.DB.PeerByKey, without the database where it was asked a
// moment ago.
func (s *Server) peerByKey(ctx context.Context, key string) (rempart.Peer, error) {
	k := sha256.Sum256([]byte(key))
	changes, now := s.DB.PeerChanges(), time.Now()
	s.keys.mu.Lock()
	known, ok := s.keys.known[k]
	ok = ok && known.changes == changes && now.Sub(known.at) < keyAway && !s.ended(known.peer)
	if ok && (now.Sub(known.at) < keyFresh || now.Before(s.keys.away) || now.Before(known.asking)) {
		s.keys.mu.Unlock()
		return known.peer, nil
	}
	wait := keyWait
	if ok {
		wait = keyRecall
		known.asking = now.Add(keyRecall)
		s.keys.known[k] = known
	}
	s.keys.mu.Unlock()
	asked, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	p, err := s.DB.PeerByKey(asked, key)
	if err != nil {
		if ok && rempart.KindOf(err) != rempart.Unauthorized {
			if ctx.Err() == nil {
				s.keys.mu.Lock()
				s.keys.away = time.Now().Add(keyRetry)
				s.keys.mu.Unlock()
			}
			return known.peer, nil
		}
		if ok {
			s.keys.mu.Lock()
			delete(s.keys.known, k)
			s.keys.mu.Unlock()
		}
		return p, err
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	if s.keys.known == nil || len(s.keys.known) >= keysKept {
		s.keys.known = map[[sha256.Size]byte]knownKey{}
	}
	s.keys.known[k] = knownKey{peer: p, at: now, changes: changes}
	return p, nil
}
