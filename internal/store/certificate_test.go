package store

import (
	"slices"
	"testing"
	"time"
)

func TestCertificatesAreKeptReplacedAndForgotten(t *testing.T) {
	opened := place(t)
	s := opened()
	ctx := t.Context()
	if _, _, ok, err := s.Certificate(ctx, "leaf/a"); ok || err != nil {
		t.Errorf("a certificate that was never kept: %v, %v", ok, err)
	}
	must(t, s.KeepCertificate(ctx, "leaf/a", "one", now))
	must(t, s.KeepCertificate(ctx, "leaf/a", "two", now.Add(time.Hour)))
	must(t, s.Close())

	s = opened()
	defer func() { must(t, s.Close()) }()
	value, changed, ok, err := s.Certificate(ctx, "leaf/a")
	if value != "two" || !changed.Equal(now.Add(time.Hour)) || !ok || err != nil {
		t.Errorf("%q, %v, %v, %v", value, changed, ok, err)
	}
	must(t, s.ForgetCertificates(ctx, "leaf/a", "leaf/never"))
	if _, _, ok, err := s.Certificate(ctx, "leaf/a"); ok || err != nil {
		t.Errorf("a forgotten certificate: %v, %v", ok, err)
	}
}

func TestKeysOfCertificatesAreListedByTheirPrefixAlone(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	for _, key := range []string{"leaf/b", "leaf/*.example.com", "leafy", "acme/leaf/x", "LEAF/c", "leaf_d"} {
		must(t, s.KeepCertificate(ctx, key, "v", now))
	}
	keys, err := s.CertificateKeys(ctx, "leaf/")
	if want := []string{"leaf/*.example.com", "leaf/b"}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("%v, %v", keys, err)
	}
	if keys, err := s.CertificateKeys(ctx, "none/"); err != nil || len(keys) > 0 {
		t.Errorf("%v, %v", keys, err)
	}
}
