package setops

import (
	"strings"
	"testing"
)

func TestAnEmailAddressIsOneOfAPerson(t *testing.T) {
	for email, ok := range map[string]bool{
		"grace@example.com": true, "a.b+c@mail.example.org": true, "admin@localhost": true,
		"": false, "grace": false, "deploy@demo": false, "Grace <grace@example.com>": false, "grace@": false, "@example.com": false,
		"grace@example.com\n": false, "a@b.c, d@e.f": false, strings.Repeat("a", 251) + "@b.c": false,
	} {
		v := CheckEmail(email)
		if (v == nil) != ok || !ok && v[0].Validator != NotAnEmailAddress {
			t.Errorf("%q: %v", email, v)
		}
	}
}

func TestAPasswordHasEightCharactersOfAnyScript(t *testing.T) {
	for password, want := range map[string]Validator{
		"1234567": TooShort, "12345678": "", "пароль": TooShort, "парольпа": "", strings.Repeat("x", 1024): "", strings.Repeat("x", 1025): TooLong,
	} {
		v := CheckPassword(password)
		if want == "" && v != nil || want != "" && (v == nil || v[0].Validator != want) {
			t.Errorf("%d bytes: %v", len(password), v)
		}
	}
}
