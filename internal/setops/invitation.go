package setops

import (
	"net/mail"
	"strings"
	"unicode/utf8"
)

// Lengths of passwords that somebody chooses, in characters and bytes. The lower one is that of NIST SP 800-63B; what is longer
// than the upper one costs only time.
const (
	PasswordMin = 8
	PasswordMax = 1024
)

// CheckPassword reports a password that is too short or too long to be chosen.
func CheckPassword(password string) []Violation {
	v := Violation{Field: "password", Message: "a password has at least 8 characters, and at most 1024 bytes"}
	switch {
	case utf8.RuneCountInString(password) < PasswordMin:
		v.Validator = TooShort
	case len(password) > PasswordMax:
		v.Validator = TooLong
	default:
		return nil
	}
	return []Violation{v}
}

// EmailMax is the length of the longest e-mail address, in bytes.
const EmailMax = 254

// CheckEmail reports what is no e-mail address of a person. One without a dot behind the @ is not, as that of a service user, but for
// those of the machine itself.
func CheckEmail(email string) []Violation {
	address, err := mail.ParseAddress(email)
	_, domain, _ := strings.Cut(email, "@")
	if err == nil && address.Address == email && len(email) <= EmailMax && (strings.Contains(domain, ".") || domain == "localhost") {
		return nil
	}
	return []Violation{{Field: "email", Validator: NotAnEmailAddress, Message: "write an e-mail address, as grace@example.com"}}
}

// ServiceNameMin and ServiceNameMax are the lengths of names of service users, in characters.
const ServiceNameMin, ServiceNameMax = 3, 32

// CheckServiceName reports a name of a service user that is not `[a-z][a-z0-9-]*` of 3 to 32 characters.
func CheckServiceName(name string) []Violation {
	return checkName(name, dashedName, ServiceNameMin, ServiceNameMax, InvalidFormat,
		"the name of a service user is 3 to 32 lower-case letters, digits and dashes and starts with a letter")
}

// ServiceEmail is what a service user of an organization has for an e-mail address.
func ServiceEmail(name, organization string) string { return name + "@" + organization }

// CheckRole reports what is no role.
func CheckRole(role Role) []Violation {
	if role == Admin || role == Member {
		return nil
	}
	return []Violation{{Field: "role", Validator: NotIncluded, Message: "a role is admin or member"}}
}

// InvitationGone refuses a token that is good for nothing, and does not say why: whoever guesses learns nothing.
func InvitationGone() error {
	return InvalidInput(ValidationFailed, []Violation{{
		Field: "token", Validator: NotFound,
		Message: "there is no such invitation: it was accepted or withdrawn already, is older than 7 days, or was never made; ask for a new one",
	}})
}
