package store

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// What a password costs to try: the second choice of the OWASP Password Storage
// Cheat Sheet. The parameters are written with each hash, so that they can be
// raised without losing those that exist.
const (
	passwordTime   = 2
	passwordMemory = 19 * 1024 // KiB
	passwordLanes  = 1
)

// hashPassword returns the argon2id of a password as a PHC string,
// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash".
func (db *DB) hashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails since Go 1.24
	h, err := db.argon2(ctx, password, salt, passwordTime, passwordMemory, passwordLanes)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, passwordMemory, passwordTime, passwordLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(h)), nil
}

// isPassword tells whether a hash is that of a password. A hash of "" is nobody's,
// and takes the same time.
func (db *DB) isPassword(ctx context.Context, hash, password string) (bool, error) {
	nobody := hash == ""
	if nobody {
		hash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	}
	var version, time, memory uint32
	var lanes uint8
	f := strings.Split(hash, "$")
	if len(f) != 6 || f[1] != "argon2id" {
		return false, fmt.Errorf("store: a password's hash is not one we can read")
	}
	if _, err := fmt.Sscanf(f[2]+" "+f[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &lanes); err != nil || version != argon2.Version || time == 0 || time > 64 || memory > 1<<20 || lanes == 0 {
		return false, fmt.Errorf("store: a password's hash has parameters out of range")
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(f[4])
	want, err2 := base64.RawStdEncoding.DecodeString(f[5])
	if err1 != nil || err2 != nil || len(want) != 32 {
		return false, fmt.Errorf("store: a password's hash is not one we can read")
	}
	got, err := db.argon2(ctx, password, salt, time, memory, lanes)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && !nobody, nil
}

// argon2 hashes, a few passwords at a time: each takes 19 MiB.
func (db *DB) argon2(ctx context.Context, password string, salt []byte, time, memory uint32, lanes uint8) ([]byte, error) {
	select {
	case db.hashing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-db.hashing }()
	return argon2.IDKey([]byte(password), salt, time, memory, lanes, 32), nil
}
