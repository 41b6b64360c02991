package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"rempart"
)

// ClaimMailbox takes the reading of a mailbox, by name, for lease, and returns how
// far it was read. ok is false while another process reads it, or when it is not
// due yet.
func (db *DB) ClaimMailbox(ctx context.Context, name string, lease time.Duration) (p rempart.MailPlace, ok bool, err error) {
	id := db.keyed("mailbox", name)
	err = db.write(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO mailboxes (id, validity, uid, since, due_at) VALUES ($1, 0, 0, 0, 0) ON CONFLICT (id) DO NOTHING", id); err != nil {
			return fmt.Errorf("store: mailbox: %w", err)
		}
		n, err := t.exec("UPDATE mailboxes SET due_at = $1 WHERE id = $2 AND due_at <= $3", micros(t.now.Add(lease)), id, micros(t.now))
		if ok = n == 1; err != nil || !ok {
			return err
		}
		var validity, uid, since int64
		if err := t.row("SELECT validity, uid, since FROM mailboxes WHERE id = $1", id).Scan(&validity, &uid, &since); err != nil {
			return fmt.Errorf("store: mailbox: %w", err)
		}
		p = rempart.MailPlace{Validity: uint32(validity), UID: uint32(uid), Since: fromMicros(since)}
		return nil
	})
	return p, ok && err == nil, err
}

// MailboxRead notes how far a mailbox was read, and that nobody reads it before
// due. Each message is kept under a key that is spent once, so that reading it
// again changes nothing.
func (db *DB) MailboxRead(ctx context.Context, name string, p rempart.MailPlace, due time.Time) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec("UPDATE mailboxes SET validity = $1, uid = $2, since = $3, due_at = $4 WHERE id = $5",
			int64(p.Validity), int64(p.UID), micros(p.Since), micros(due), db.keyed("mailbox", name))
		return err
	})
}

// KeepMail keeps an e-mail of which nobody knows what it is about, until somebody
// does. once is as for UpdateCase.
func (db *DB) KeepMail(ctx context.Context, m rempart.Mail, once string, at time.Time) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.spend(once); err != nil {
			return err
		}
		k, err := t.newKey(boxMail, m.ID)
		if err != nil {
			return err
		}
		doc, err := sealed(k, m, "mail", m.ID)
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO mails (id, at, doc) VALUES ($1, $2, $3)", m.ID, micros(at), doc); err != nil {
			return fmt.Errorf("store: e-mail %s: %w", m.ID, err)
		}
		return t.event(rempart.Event{Kind: "mail.kept", Subject: m.ID, Actor: rempart.ActorSystem, At: at, Data: map[string]string{"kind": string(m.Kind)}})
	})
}

var mailColumns = "id, at, doc, " + keyColumn(boxMail, "mails.id")

func (db *DB) readMail(s scanner) (m rempart.Mail, err error) {
	var id string
	var at int64
	var doc, wrapped []byte
	if err := s.Scan(&id, &at, &doc, &wrapped); err != nil {
		return m, missing(err, "mail")
	}
	key, err := db.unwrap(wrapped, boxMail, id)
	if err != nil {
		return m, err
	}
	if err := unsealed(key, doc, "mail", id, &m, decode); err != nil {
		return m, fmt.Errorf("store: e-mail %s: %w", id, err)
	}
	m.Kept = fromMicros(at)
	return m, nil
}

// Mails returns the e-mails that wait for somebody to say what they are about, the
// oldest first, at most limit.
func (db *DB) Mails(ctx context.Context, limit int) ([]rempart.Mail, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT "+mailColumns+" FROM mails WHERE "+hasKey+" ORDER BY at, id LIMIT $1", pageSize(limit))
	out, err := collect(rows, err, db.readMail)
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: e-mails: %w", err))
	}
	return out, nil
}

// hasKey leaves out those that an older copy of the data brought back, and whose
// key is gone.
const hasKey = "EXISTS (SELECT 1 FROM sealed_keys k WHERE k.owner = mails.id AND k.box = 'mail')"

// CountMails returns how many wait.
func (db *DB) CountMails(ctx context.Context) (n int, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT count(*) FROM mails WHERE "+hasKey).Scan(&n)
	return n, db.explain(err)
}

// FileMail gives an e-mail that waited to a case: f records it there. The e-mail
// leaves those that wait in the same transaction.
func (db *DB) FileMail(ctx context.Context, id, caseID string, by rempart.Actor, at time.Time, f func(*rempart.Case, rempart.Mail) error) error {
	return db.write(ctx, func(t *tx) error {
		m, err := db.readMail(t.row("SELECT "+mailColumns+" FROM mails WHERE id = $1"+t.db.forUpdate, id))
		if err != nil {
			return err
		}
		if err := t.changeCase(caseID, func(c *rempart.Case) error { return f(c, m) }); err != nil {
			return err
		}
		return t.forgetMail(id, "mail.filed", by, at)
	})
}

// DropMail destroys an e-mail that has nothing to do with any case; it stays in the
// mailbox, which is never changed.
func (db *DB) DropMail(ctx context.Context, id string, by rempart.Actor, at time.Time) error {
	return db.write(ctx, func(t *tx) error { return t.forgetMail(id, "mail.dropped", by, at) })
}

// DueMails returns the identifiers of e-mails that nobody filed and whose time has
// passed, at most limit, the oldest first.
func (db *DB) DueMails(ctx context.Context, e rempart.Erasure, limit int) ([]string, error) {
	if e.Keep[rempart.KeptMail] <= 0 {
		return nil, nil
	}
	rows, err := db.r.QueryContext(ctx, "SELECT id FROM mails WHERE at <= $1 ORDER BY at, id LIMIT $2", micros(e.At.Add(-e.Keep[rempart.KeptMail])), limit)
	out, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: e-mails that are due: %w", err))
	}
	return out, nil
}

// EraseMail destroys the key of an e-mail that nobody filed, and deletes it. The
// key that it was taken under stays spent: the mailbox does not bring it back.
func (db *DB) EraseMail(ctx context.Context, id string, e rempart.Erasure) error {
	if err := db.write(ctx, func(t *tx) error { return t.forgetMail(id, "mail.erased", e.By, e.At) }); err != nil {
		return err
	}
	return db.forget(ctx)
}

func (t *tx) forgetMail(id, kind string, by rempart.Actor, at time.Time) error {
	if _, err := t.exec("DELETE FROM sealed_keys WHERE owner = $1 AND box = 'mail'", id); err != nil {
		return fmt.Errorf("store: key of e-mail %s: %w", id, err)
	}
	n, err := t.exec("DELETE FROM mails WHERE id = $1", id)
	if err != nil {
		return fmt.Errorf("store: e-mail %s: %w", id, err)
	}
	if n == 0 {
		return missing(sql.ErrNoRows, "mail")
	}
	return t.event(rempart.Event{Kind: kind, Subject: id, Actor: by, At: at})
}

// dropKeylessMails lets go of those that were filed or dropped after a backup was
// made, and came back with it.
func (db *DB) dropKeylessMails(ctx context.Context) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM mails WHERE NOT " + hasKey)
		return err
	})
}
