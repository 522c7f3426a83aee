package api

// VersionPath shows what the server is by GET; it needs no token.
const VersionPath = "/v1/version"

// Headers of every answer: the version of the server, as in ServerVersion.Version, and that of its API.
const (
	VersionHeader    = "Setops-Version"
	APIVersionHeader = "Setops-Api"
)

// ServerVersion is the answer of GET /v1/version.
type ServerVersion struct {
	Version string `json:"version" doc:"The version of the server, as in 1.2.3; 0.0.0-dev from a working tree"`
	API     string `json:"api" doc:"The version of its API, the first element of every path"`
}
