package exchange

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Published is a statement with what the database adds to it.
type Published struct {
	Statement
	UUID     string    // "" while the database has not taken it
	Platform string    // name of the platform
	At       time.Time // when the statement was made
}

// sorColumns are the headings of the database's full export, in its order
// (app/Exports/StatementExportTrait.php, method headings, read 2026-11-22).
// content_id_ean, account_type, content_language and others that a statement of
// ours never fills are there and empty.
var sorColumns = strings.Fields(`uuid decision_visibility decision_visibility_other end_date_visibility_restriction
	decision_monetary decision_monetary_other end_date_monetary_restriction decision_provision end_date_service_restriction
	decision_account end_date_account_restriction account_type decision_ground decision_ground_reference_url
	illegal_content_legal_ground illegal_content_explanation incompatible_content_ground incompatible_content_explanation
	incompatible_content_illegal category category_addition category_specification category_specification_other
	content_type content_type_other content_language content_date content_id_ean territorial_scope application_date decision_facts
	source_type source_identity automated_detection automated_decision platform_name platform_uid created_at`)

// WriteStatements writes statements as the database exports them: CSV with its
// headings, lists as JSON, days with a time of zero (which its export does not
// document: they are columns of date and time).
func WriteStatements(w io.Writer, list []Published) error {
	c := csv.NewWriter(w)
	if err := c.Write(sorColumns); err != nil {
		return fmt.Errorf("exchange: write statements: %w", err)
	}
	for _, p := range list {
		b, err := json.Marshal(p.Statement)
		if err != nil {
			return fmt.Errorf("exchange: write statement %s: %w", p.PUID, err)
		}
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil {
			return fmt.Errorf("exchange: write statement %s: %w", p.PUID, err)
		}
		fields["uuid"], fields["platform_name"], fields["platform_uid"] = p.UUID, p.Platform, p.PUID
		fields["created_at"] = p.At.UTC().Format(time.DateTime)
		row := make([]string, len(sorColumns))
		for k, name := range sorColumns {
			switch v := fields[name].(type) {
			case string:
				row[k] = cell(v)
				if v != "" && (strings.HasPrefix(name, "end_date_") || strings.HasSuffix(name, "_date")) {
					row[k] = v + " 00:00:00"
				}
			case []any:
				b, err := json.Marshal(v)
				if err != nil {
					return fmt.Errorf("exchange: write statement %s: %w", p.PUID, err)
				}
				row[k] = string(b)
			}
		}
		if err := c.Write(row); err != nil {
			return fmt.Errorf("exchange: write statements: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("exchange: write statements: %w", err)
	}
	return nil
}

// cell keeps a text on one line, as the database does, and from being taken for
// a formula by a spreadsheet.
func cell(s string) string {
	return eachCell(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' }), " "), func(s string) string {
		if computed(s, formulas) {
			return "'" + s
		}
		return s
	})
}
