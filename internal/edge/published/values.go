package published

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/setopsco/setops/internal/routing"
)

// Names of objects, and of what is in them.
const (
	IndexName = "routes"
	KeyName   = "router-key"

	valueKey = "routes.json"
	keyKey   = "key"
	chainKey = "tls.crt" // as the cluster wants it of a Secret of type kubernetes.io/tls
	leafKey  = "tls.key"
)

// Index is what there is once for all stages.
type Index struct {
	Installation string `json:"installation"`          // whose routes these are
	Complete     bool   `json:"complete"`              // all stages have been written at some time: a router can serve
	APIHost      string `json:"apiHost,omitempty"`     // where API and registry answer by TLS; empty: there is no TLS
	Authorities  string `json:"authorities,omitempty"` // PEM: whom a router trusts when it calls setopsd, besides the system's
}

// Object makes an object of it.
func (i Index) Object(v Version) (Object, error) {
	return encode(KindIndex, IndexName, v, i)
}

// ReadIndex is the way back.
func ReadIndex(o Object) (i Index, err error) { return i, decode(o, &i) }

// StageName is the name of a stage's routes.
func StageName(stageID string) string { return "routes-" + stageID }

// Stage is what of a stage is published.
type Stage struct {
	ID     string         `json:"stage"`
	Routes routing.Routes `json:"routes"`
}

// Tasks are the addresses of all tasks that are routed, HOST:PORT.
func (s Stage) Tasks() (addresses []string) {
	for _, app := range s.Routes.Apps {
		for _, t := range app.Tasks {
			addresses = append(addresses, t.Address)
		}
	}
	return addresses
}

// Object makes an object of it.
func (s Stage) Object(v Version) (Object, error) {
	return encode(KindStage, StageName(s.ID), v, s)
}

// ReadStage is the way back.
func ReadStage(o Object) (s Stage, err error) { return s, decode(o, &s) }

// Certificate makes an object of a key and its certificates in PEM.
func Certificate(host string, chain, key []byte, v Version) Object {
	sum := sha256.Sum256([]byte(host))
	return Object{
		Kind: KindCertificate, Name: "certificate-" + hex.EncodeToString(sum[:10]), Host: host, Version: v,
		Data: map[string][]byte{chainKey: chain, leafKey: key},
	}
}

// ReadCertificate is the way back.
func ReadCertificate(o Object) (host string, chain, key []byte) {
	return o.Host, o.Data[chainKey], o.Data[leafKey]
}

// Key makes an object of the key by which routers know setopsd.
func Key(key string, v Version) Object {
	return Object{Kind: KindKey, Name: KeyName, Version: v, Data: map[string][]byte{keyKey: []byte(key)}}
}

// ReadKey is the way back.
func ReadKey(o Object) string { return string(o.Data[keyKey]) }

func encode(kind Kind, name string, v Version, value any) (Object, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return Object{}, fmt.Errorf("write %s: %w", name, err)
	}
	return Object{Kind: kind, Name: name, Version: v, Data: map[string][]byte{valueKey: text}}, nil
}

func decode(o Object, value any) error {
	if err := json.Unmarshal(o.Data[valueKey], value); err != nil {
		return fmt.Errorf("read %s: %w", o.Name, err)
	}
	return nil
}
