// Package idempotency lets a client send a request again when the answer has got lost, and have it done once. The client
// names the request by a key; who has a key sends the same request with it each time.
//
// A request that was done is remembered with its answer for Life, and answered with that when it comes again. What must not
// be done twice even where the server dies behind it is remembered in the transaction that does it: see Receipt. What a
// request makes has an id that follows from the key: see Request.NewID. Start with Keeper.
package idempotency

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Life is how long a request is remembered.
const Life = 24 * time.Hour

// Request is a request that changes something. It is the same each time that its sender sends it again.
type Request struct {
	ID     string // names it in the store; empty: it has no key, and is done each time that it comes
	UserID string // who sent it: keys of others are other keys
	Digest string // of what is asked for
	// NewID is the id of what it makes, if it makes something: 32 hexadecimal digits.
	NewID string
	// Event gives what the audit log says of the request, which was answered by answer, or is about to be where that is nil; ok is
	// false where nothing was done. It is nil where nothing is to be said.
	Event func(answer any) (e setops.Event, ok bool)
}

// Events are what is to be written in the transaction of what the request does.
func (r Request) Events(answer any) []setops.Event {
	if r.Event == nil {
		return nil
	}
	if e, ok := r.Event(answer); ok {
		return []setops.Event{e}
	}
	return nil
}

// Keyed reports whether the request can be recognised.
func (r Request) Keyed() bool { return r.ID != "" }

// Unkeyed is a request of a client that does not send it again.
func Unkeyed() Request {
	b := make([]byte, idLength)
	rand.Read(b)
	return Request{NewID: hex.EncodeToString(b)}
}

// idLength is the length of ids of what is made, in bytes.
const idLength = 16

// Keyed is what a user asks for under a key. Ids and digests are made with the server's secret: nobody can choose keys so
// that ids meet, or find a value of env by trying digests.
func Keyed(secret []byte, userID, key, asked string) Request {
	return Request{
		ID:     hex.EncodeToString(sum(sha256.New(), userID, key)),
		UserID: userID,
		Digest: hex.EncodeToString(sum(hmac.New(sha256.New, secret), "digest", asked)),
		NewID:  hex.EncodeToString(sum(hmac.New(sha256.New, secret), "id", userID, key)[:idLength]),
	}
}

// sum writes lengths too, so that other parts have another sum.
func sum(h hash.Hash, parts ...string) []byte {
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return h.Sum(nil)
}

// Receipt is written in the transaction of what a request does, so that nothing can come between the two. Answer says in
// words of the API what was done.
type Receipt[T any] struct {
	Request
	Answer func(done T) any
}

// Text is what is written. It must hold no secret.
func (r Receipt[T]) Text(done T) (string, error) {
	text, err := json.Marshal(r.Answer(done))
	if err != nil {
		return "", fmt.Errorf("encode the answer to a request: %w", err)
	}
	return string(text), nil
}

// InWork says that another server does the same request at this moment.
func InWork() error {
	return &setops.Error{
		Kind: setops.StateError, Code: setops.Overload, Temporary: true,
		Message: "this request came twice and is being worked on; ask again in a moment for its answer",
	}
}

// Taken says that a key names another request.
func Taken() error {
	return setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
		Field: "idempotency_key", Validator: setops.Taken,
		Message: "another request was sent with this key; make a new key for each thing that you ask for",
	}})
}
