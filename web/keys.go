package web

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"rempart"
)

// What a key opens is read from the database again after keyFresh, so that a key
// that was taken back opens nothing a second later, in whichever process that was
// done; in this one at once. While the database is away, what was read keyAway ago
// at most still holds, as lookups must go on.
const (
	keyFresh = time.Second
	keyAway  = 15 * time.Minute
	keysKept = 10_000
)

// keys remembers whose a key is. Keys themselves are not in it.
type keys struct {
	mu    sync.RWMutex
	known map[[sha256.Size]byte]knownKey
}

type knownKey struct {
	peer    rempart.Peer
	at      time.Time
	changes int64 // of peers, by this process, before it was read
}

// peerByKey is store.DB.PeerByKey, without the database where it was asked a
// moment ago.
func (s *Server) peerByKey(ctx context.Context, key string) (rempart.Peer, error) {
	k := sha256.Sum256([]byte(key))
	s.keys.mu.RLock()
	known, ok := s.keys.known[k]
	s.keys.mu.RUnlock()
	changes, now := s.DB.PeerChanges(), time.Now()
	if ok && known.changes == changes && now.Sub(known.at) < keyFresh {
		return known.peer, nil
	}
	p, err := s.DB.PeerByKey(ctx, key)
	if err != nil {
		if ok && known.changes == changes && now.Sub(known.at) < keyAway && rempart.KindOf(err) != rempart.Unauthorized && ctx.Err() == nil {
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
	s.keys.known[k] = knownKey{p, now, changes}
	return p, nil
}
