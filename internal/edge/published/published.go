// Package published is what setopsd and the routers beside it have in common: named values in a namespace of a cluster, which
// setopsd writes and routers follow. It is pure.
//
//	routes            ConfigMap   who writes, since when, and what routers need besides (Index)
//	routes-STAGE      ConfigMap   the routes of a stage, all of them: one write switches all of its apps (Stage)
//	certificate-HASH  Secret      key and certificates of a name
//	router-key        Secret      by which a router knows setopsd
//
// Whoever writes has a term, a number that is counted up at each start of a setopsd; what was written under a newer one is
// never replaced.
package published

import (
	"context"
	"errors"
	"strconv"
)

// Kind says what an object is. It is a label of it.
type Kind string

// The kinds of objects.
const (
	KindIndex       Kind = "index"
	KindStage       Kind = "stage"
	KindCertificate Kind = "certificate"
	KindKey         Kind = "key"
)

// Secret says that the value must not be shown.
func (k Kind) Secret() bool { return k == KindCertificate || k == KindKey }

// Kinds are all of them.
var Kinds = []Kind{KindIndex, KindStage, KindCertificate, KindKey}

// Object is a value in the cluster.
type Object struct {
	Kind     Kind
	Name     string
	Host     string  // of a certificate
	Version  Version // of who has written it
	Data     map[string][]byte
	Resource string // the cluster's own version of it; it changes with each write of anybody
}

// Version orders what was written under one name.
type Version struct {
	Term   int64 `json:"term"`
	Number int64 `json:"number"` // within the term
}

// Before reports an older version.
func (v Version) Before(w Version) bool {
	if v.Term != w.Term {
		return v.Term < w.Term
	}
	return v.Number < w.Number
}

// String is TERM.NUMBER.
func (v Version) String() string {
	return strconv.FormatInt(v.Term, 10) + "." + strconv.FormatInt(v.Number, 10)
}

// Objects are those of one namespace.
type Objects interface {
	// Get fails with ErrNone where there is nothing of that name.
	Get(ctx context.Context, kind Kind, name string) (Object, error)
	List(ctx context.Context, kind Kind) ([]Object, error)
	// Create fails with ErrChanged where there is one.
	Create(ctx context.Context, o Object) (Object, error)
	// Update fails with ErrChanged where somebody else has written since o.Resource, and with ErrNone.
	Update(ctx context.Context, o Object) (Object, error)
	// Delete fails as Update does.
	Delete(ctx context.Context, o Object) error
}

var (
	// ErrNone is returned for an object that is not there.
	ErrNone = errors.New("there is no such object")
	// ErrChanged is returned where somebody else has written.
	ErrChanged = errors.New("somebody else has written it")
)

// Source tells what is there, and what becomes of it.
type Source interface {
	// Follow calls changed for each object that is there, changes or goes, one call after the other, and synced once all that
	// was there at the start was told. It returns when ctx ends, with nil.
	Follow(ctx context.Context, changed func(o Object, gone bool), synced func()) error
}
