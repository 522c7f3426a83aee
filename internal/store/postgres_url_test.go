package store

import (
	"strings"
	"testing"
)

func TestNoErrorAboutAURLHasItsPassword(t *testing.T) {
	for _, text := range []string{
		"postgres://ada:s3cret@db.example:port/setops",
		"postgres://ada:s3cret@db.example:70000/setops",
		"postgres://ada:1234/s3cret@db.example/setops",
		"postgres://ada:1234#s3cret@db.example/setops",
		"postgres://ada:1234?s3cret@db.example/setops",
		"postgres://ada:s3cret%@db.example/setops",
		"postgres://ada:s3cret@db.example/setops?sslmode=s3cret",
		"postgres://ada:s3cret@db.example/setops?sslmode=verify-full&sslrootcert=/nowhere/s3cret.pem",
		"postgres://ada@db.example/setops?password=s3cret&connect_timeout=never",
		"postgres://ada@db.example/setops?password=a+s3cret&sslmode=a+s3cret",
		"postgres://ada@db.example/setops?sslpassword=s3cret&pool=%zz",
		"host=db.example password=s3cret sslmode=never",
	} {
		_, err := Connect(t.Context(), text)
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "1234") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestWhatIsWrongWithTheParametersOfAURLIsSaid(t *testing.T) {
	_, err := Connect(t.Context(), "postgres://ada:s3cret@db.example/setops?sslmode=verify-full&sslrootcert=/nowhere/ca.pem")
	if err == nil || !strings.Contains(err.Error(), "/nowhere/ca.pem") {
		t.Errorf("got %v", err)
	}
}

func TestAURLIsShownWithoutPasswordAndParameters(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://ada:s3cret@db.example:5432/setops?sslmode=require&password=s3cret": "postgres://ada@db.example:5432/setops",
		"postgresql://db.example/setops":                                               "postgresql://db.example/setops",
		"postgres:///setops?host=/run/postgresql":                                      "postgres:///setops",
		"postgres://ada:1234/s3cret@db.example/setops":                                 "postgres://…",
		"postgres://ada:%zz@db.example/setops":                                         "postgres://…",
		"postgres:ada:s3cret":                                                          "postgres://…",
	} {
		if got := Shown(text); got != want {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
}

func TestSessionsHaveLimitsUnlessTheURLHasOthers(t *testing.T) {
	c, err := parseURL("postgres://ada@db.example/setops?application_name=mine")
	must(t, err)
	if c.ConnectTimeout != connectLimit || c.RuntimeParams["application_name"] != "mine" || c.RuntimeParams["idle_in_transaction_session_timeout"] != "15s" {
		t.Errorf("%v %v", c.ConnectTimeout, c.RuntimeParams)
	}
	if c, err = parseURL("postgres:///setops?host=/run/postgresql"); err != nil || c.Host != "/run/postgresql" {
		t.Errorf("a socket: %v", err)
	}
	if c, err = parseURL("postgres://ada@db.example/setops?connect_timeout=3"); err != nil || c.ConnectTimeout.Seconds() != 3 {
		t.Errorf("%v %v", c.ConnectTimeout, err)
	}
}
