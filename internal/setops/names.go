package setops

import "regexp"

// Lengths of names, in characters. The rules are those of the behaviour reference, "Values and limits".
const (
	ProjectNameMin, ProjectNameMax = 3, 20
	StageNameMin, StageNameMax     = 3, 12
	AppNameMin, AppNameMax         = 3, 16
	EnvKeyMax                      = 256
)

var (
	plainName  = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	dashedName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	envKey     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	digest     = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// OrganizationNameMax is the length of the longest name of an organization, in characters: it is a label of names in DNS.
const OrganizationNameMax = labelMax

// CheckOrganizationName reports a name of an organization that is not `[a-z][a-z0-9]*` of 1 to 63 characters.
func CheckOrganizationName(name string) []Violation {
	return checkName(name, plainName, 1, OrganizationNameMax, InvalidFormat,
		"the name of an organization is 1 to 63 lower-case letters and digits and starts with a letter")
}

// CheckProjectName reports a project name that is not `[a-z][a-z0-9]*` of 3 to 20 characters.
func CheckProjectName(name string) []Violation {
	return checkName(name, plainName, ProjectNameMin, ProjectNameMax, InvalidFormat,
		"a project name is 3 to 20 lower-case letters and digits and starts with a letter")
}

// CheckStageName reports a stage name that is not `[a-z][a-z0-9]*` of 3 to 12 characters.
func CheckStageName(name string) []Violation {
	return checkName(name, plainName, StageNameMin, StageNameMax, StageNameInvalid,
		"a stage name is 3 to 12 lower-case letters and digits and starts with a letter")
}

// CheckAppName reports an app name that is not `[a-z][a-z0-9-]*` of 3 to 16 characters.
func CheckAppName(name string) []Violation {
	return checkName(name, dashedName, AppNameMin, AppNameMax, AppNameInvalid,
		"an app name is 3 to 16 lower-case letters, digits and dashes and starts with a letter")
}

// CheckDigest reports a digest that is not `sha256:` and 64 lower-case hexadecimal digits.
func CheckDigest(value string) []Violation {
	if digest.MatchString(value) {
		return nil
	}
	return []Violation{{
		Field: "release_digest", Validator: ReleaseDigestInvalid,
		Message: "an image digest is sha256: and 64 hexadecimal digits, as `docker push` prints it",
	}}
}

func checkName(name string, shape *regexp.Regexp, shortest, longest int, invalid Validator, rule string) []Violation {
	v := Violation{Field: "name", Message: rule}
	switch {
	case name == "":
		v.Validator = Required
	case len(name) < shortest:
		v.Validator = TooShort
	case len(name) > longest:
		v.Validator = TooLong
	case !shape.MatchString(name):
		v.Validator = invalid
	default:
		return nil
	}
	return []Violation{v}
}
