/*
 * The schema's verdict, as a cross-check of our own structure checks (and of files of ours).
 */
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <string.h>

#include "lib/xml/xml_read.h"

struct verdict {
	struct err *err;
	bool has_message;
};

static void
keep_first(void *self, xmlErrorPtr error)
{
	struct verdict *verdict = self;
	size_t len = error->message ? strcspn(error->message, "\n") : 0;

	if (verdict->has_message)
		return;
	verdict->has_message = true;
	err_set(verdict->err, ERR_BAD_XML, "line %d: %.*s", error->line, (int)len,
	    error->message ? error->message : "");
	err_at(verdict->err, (unsigned)(error->line < 0 ? 0 : error->line), NULL);
}

static int
validate(xmlDoc *document, xmlSchema *schema, struct verdict *verdict)
{
	xmlSchemaValidCtxt *valid = xmlSchemaNewValidCtxt(schema);
	int result = -1;

	if (!valid)
		return -1;
	xmlSchemaSetValidStructuredErrors(valid, keep_first, verdict);
	result = xmlSchemaValidateDoc(valid, document);
	xmlSchemaFreeValidCtxt(valid);
	return result < 0 ? -1 : result == 0;
}

int
xml_validate(const char *xml, size_t size, const char *xsd, size_t xsd_size, struct err *err)
{
	struct verdict verdict = {.err = err};
	xmlSchemaParserCtxt *parser = xmlSchemaNewMemParserCtxt(xsd, (int)xsd_size);
	xmlDoc *document = xmlReadMemory(
	    xml, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlSchema *schema = NULL;
	int result = -1;

	if (parser) {
		xmlSchemaSetParserStructuredErrors(parser, keep_first, &verdict);
		schema = xmlSchemaParse(parser);
	}
	if (schema && document)
		result = validate(document, schema, &verdict);
	else
		err_set(
		    err, ERR_BAD_XML, "the %s cannot be read", document ? "schema" : "document");
	xmlFreeDoc(document);
	xmlSchemaFree(schema);
	xmlSchemaFreeParserCtxt(parser);
	return result;
}
