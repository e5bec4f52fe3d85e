/*
 * Handlers of what NOC staff say of hosts.
 */
#include "snc/host.h"
#include "snc/snc_service.h"

SNC_HANDLER(host_evict)
{
	struct host_eviction eviction = {
	    .caller = service_caller(call), .host = args->host, .is_plan = args->plan};
	struct snc_affected *slices;

	if (!host_evict(self, &eviction, call->arena, err))
		return false;
	slices = arena_alloc(call->arena, (eviction.n_slices + 1) * sizeof(slices[0]));
	for (size_t i = 0; i < eviction.n_slices; i++)
		slices[i] = (struct snc_affected){
		    eviction.slices[i].id, eviction.slices[i].name, eviction.slices[i].owner};
	*result = (struct snc_host_evict_result){slices, eviction.n_slices};
	return true;
}

SNC_HANDLER(host_readmit)
{
	struct snc_caller caller = service_caller(call);

	(void)result;
	return host_readmit(self, &caller, args->host, err);
}
