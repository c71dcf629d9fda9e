// An OCI registry in memory with the referrers API: that of go-containerregistry, with one answer put right.
//
// Upstream fills a referrer's artifactType from config.mediaType (pkg/registry/manifest.go), against the specification of OCI
// image indexes: Kyverno's type SigstoreBundle then sees no bundle. The true types are read from the manifests themselves.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"

	"github.com/google/go-containerregistry/pkg/registry"
)

var listing = regexp.MustCompile(`^/v2/(.+)/referrers/sha256:[0-9a-f]{64}$`)

type index struct {
	SchemaVersion int              `json:"schemaVersion"`
	MediaType     string           `json:"mediaType"`
	Manifests     []map[string]any `json:"manifests"`
}

func main() {
	address := flag.String("address", "127.0.0.1:5000", "where to listen")
	flag.Parse()
	upstream := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	log.Fatal(http.ListenAndServe(*address, corrected(upstream)))
}

// corrected passes everything on, and lists referrers with the artifactType of their own manifests.
func corrected(upstream http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		match := listing.FindStringSubmatch(r.URL.Path)
		if match == nil || r.Method != http.MethodGet {
			upstream.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		upstream.ServeHTTP(answer, r)
		var found index
		if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &found) != nil {
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return
		}
		for _, descriptor := range found.Manifests {
			if kind := artifactType(upstream, match[1], descriptor["digest"]); kind != "" {
				descriptor["artifactType"] = kind
			}
		}
		w.Header().Set("Content-Type", found.MediaType)
		_ = json.NewEncoder(w).Encode(found)
	})
}

func artifactType(upstream http.Handler, repository string, digest any) string {
	name, _ := digest.(string)
	answer := httptest.NewRecorder()
	upstream.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/"+repository+"/manifests/"+name, nil))
	var manifest struct {
		ArtifactType string `json:"artifactType"`
	}
	_ = json.Unmarshal(answer.Body.Bytes(), &manifest)
	return manifest.ArtifactType
}
